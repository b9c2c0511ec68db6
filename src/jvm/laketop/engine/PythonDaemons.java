package laketop.engine;

import java.lang.reflect.Field;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.apache.spark.SparkEnv;
import org.apache.spark.api.python.PythonWorkerFactory;
import org.apache.spark.scheduler.SparkListener;
import org.apache.spark.scheduler.SparkListenerEvent;
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
 */
public final class PythonDaemons extends SparkListener {
  private static final Logger LOG = LoggerFactory.getLogger(PythonDaemons.class);
  private static final int ENVIRONMENT = 3; // of a key: program, worker, daemon, environment
  private static final String SESSION = "SPARK_JOB_ARTIFACT_UUID";

  @Override
  public void onOtherEvent(SparkListenerEvent event) {
    if (event instanceof SparkListenerConnectSessionClosed) {
      try {
        endThoseOfNone();
      } catch (ReflectiveOperationException | RuntimeException | LinkageError e) {
        LOG.warn("the Python of a session that is over was not ended", e);
      }
    }
  }

  private static void endThoseOfNone() throws ReflectiveOperationException {
    SparkEnv env = SparkEnv.get();
    Field field = SparkEnv.class.getDeclaredField("pythonWorkers");
    field.setAccessible(true);
    synchronized (env) { // as Spark does around it; so what is there is of a session known by now
      Set<String> open = Sessions.artifactIds();
      Map<?, ?> factories = CollectionConverters.asJava(
          (scala.collection.mutable.Map<?, ?>) field.get(env));
      for (Object key : List.copyOf(factories.keySet())) {
        var environment = (scala.collection.Map<?, ?>) ((Product) key).productElement(ENVIRONMENT);
        Object session = CollectionConverters.asJava(environment).get(SESSION);
        if (session != null && !open.contains(session)) {
          ((PythonWorkerFactory) factories.remove(key)).stop();
        }
      }
    }
  }
}
