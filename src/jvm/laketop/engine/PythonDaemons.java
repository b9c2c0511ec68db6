package laketop.engine;

import java.lang.reflect.Field;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.spark.SparkEnv;
import org.apache.spark.api.python.PythonWorkerFactory;
import org.apache.spark.scheduler.SparkListener;
import org.apache.spark.scheduler.SparkListenerEvent;
import org.apache.spark.sql.classic.SparkSession;
import org.apache.spark.sql.connect.service.SparkListenerConnectOperationStarted;
import org.apache.spark.sql.connect.service.SparkListenerConnectSessionClosed;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import scala.Product;
import scala.jdk.javaapi.CollectionConverters;

/**
 * Ends the Python of sessions that are over.
 *
 * <p>Spark starts a daemon of its own for each session that calls a Python function, since the
 * session's id is in its environment, and keeps it, of some 50 MB, for as long as the engine lives.
 * Those of sessions that clients did not open, such as a stream's, are let be.
 */
public final class PythonDaemons extends SparkListener {
  private static final Logger LOG = LoggerFactory.getLogger(PythonDaemons.class);
  private static final int ENVIRONMENT = 3; // of a key: program, worker, daemon, environment
  private static final String SESSION = "SPARK_JOB_ARTIFACT_UUID";

  /** Of each open session of a client: what tells it apart in the environment of its Python. */
  private final Map<String, String> open = new HashMap<>();

  @Override
  public void onOtherEvent(SparkListenerEvent event) {
    try {
      if (event instanceof SparkListenerConnectOperationStarted begun) {
        open.computeIfAbsent(key(begun.userId(), begun.sessionId()), key -> {
          SparkSession session = Sessions.of(begun.userId(), begun.sessionId());
          return session == null ? null : session.sessionUUID();
        });
      } else if (event instanceof SparkListenerConnectSessionClosed closed) {
        String session = open.remove(key(closed.userId(), closed.sessionId()));
        if (session != null) {
          endThoseOf(session);
        }
      }
    } catch (ReflectiveOperationException | RuntimeException | LinkageError e) {
      LOG.warn("the Python of a session that is over was not ended", e);
    }
  }

  private static void endThoseOf(String session) throws ReflectiveOperationException {
    SparkEnv env = SparkEnv.get();
    Field field = SparkEnv.class.getDeclaredField("pythonWorkers");
    field.setAccessible(true);
    synchronized (env) { // as Spark does around it
      Map<?, ?> factories = CollectionConverters.asJava(
          (scala.collection.mutable.Map<?, ?>) field.get(env));
      for (Object key : List.copyOf(factories.keySet())) {
        var environment = (scala.collection.Map<?, ?>) ((Product) key).productElement(ENVIRONMENT);
        if (session.equals(CollectionConverters.asJava(environment).get(SESSION))) {
          ((PythonWorkerFactory) factories.remove(key)).stop();
        }
      }
    }
  }

  private static String key(String user, String session) {
    return session + " " + user;
  }
}
