package laketop.engine;

import java.lang.reflect.Field;
import java.util.Collections;
import java.util.Map;
import java.util.WeakHashMap;
import org.apache.spark.sql.catalyst.CurrentUserContext$;
import org.apache.spark.sql.classic.SparkSession;
import org.apache.spark.sql.connect.service.SessionHolder;
import org.apache.spark.sql.connect.service.SparkConnectService$;

/** Whose a Spark session is. */
final class Sessions {
  private static final Map<SparkSession, String> USERS =
      Collections.synchronizedMap(new WeakHashMap<>());

  private Sessions() {}

  static SparkSession active() {
    return (SparkSession) org.apache.spark.sql.SparkSession.active();
  }

  /** Returns the user of a client's session; a session of no client is the engine's own. */
  static String user(SparkSession session) {
    String known = USERS.get(session);
    if (known != null) {
      return known;
    }
    for (Object holder : holders().values()) {
      if (((SessionHolder) holder).session() == session) {
        String user = ((SessionHolder) holder).userId();
        USERS.put(session, user);
        return user;
      }
    }
    return Users.ENGINE;
  }

  /** Returns the session of this user and id, or null before its first call was answered. */
  static SparkSession of(String user, String id) {
    for (Object found : holders().values()) {
      SessionHolder holder = (SessionHolder) found;
      if (holder.sessionId().equals(id) && holder.userId().equals(user)) {
        return holder.session();
      }
    }
    return null;
  }

  static String user() {
    return user(active());
  }

  /** Lets {@code current_user()}, and the owner of what is created, be this session's user. */
  static void announce(SparkSession session) {
    CurrentUserContext$.MODULE$.CURRENT_USER().set(user(session));
  }

  private static Map<?, ?> holders() {
    try {
      Object manager = SparkConnectService$.MODULE$.sessionManager();
      Field field = manager.getClass().getDeclaredField("sessionStore");
      field.setAccessible(true);
      return (Map<?, ?>) field.get(manager);
    } catch (ReflectiveOperationException e) {
      throw Lake.sneak(e);
    }
  }
}
