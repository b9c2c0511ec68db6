package laketop.engine;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import org.sparkproject.connect.protobuf.Descriptors.FieldDescriptor;
import org.sparkproject.connect.protobuf.Message;

/** On behalf of what a session speaks: the header {@code x-laketop-caller} of its calls. */
final class Callers {
  private static final int MOST = 10_000;
  private static final int LONGEST = 500;
  private static final Map<String, String> KNOWN =
      Collections.synchronizedMap(new LinkedHashMap<>() {
        @Override
        protected boolean removeEldestEntry(Map.Entry<String, String> eldest) {
          return size() > MOST;
        }
      });

  private Callers() {}

  static void note(String user, Message call, String caller) {
    FieldDescriptor session = call.getDescriptorForType().findFieldByName("session_id");
    if (caller != null && caller.length() <= LONGEST && session != null) {
      KNOWN.putIfAbsent(key(user, call.getField(session).toString()), caller);
    }
  }

  /** Returns what the session's calls have said, or null. */
  static String of(String user, String session) {
    return KNOWN.get(key(user, session));
  }

  private static String key(String user, String session) {
    return session + " " + user;
  }
}
