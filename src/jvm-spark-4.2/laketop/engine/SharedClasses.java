package laketop.engine;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.apache.spark.api.plugin.DriverPlugin;
import org.apache.spark.api.plugin.ExecutorPlugin;
import org.apache.spark.api.plugin.PluginContext;
import org.apache.spark.api.plugin.SparkPlugin;
import org.apache.spark.executor.IsolatedSessionState;
import org.apache.spark.sql.artifact.ArtifactManager$;

/**
 * Lets the sessions of a warm engine share the code that Spark generates.
 *
 * <p>Spark keeps generated classes by their text and the class loader of the thread, and each
 * session has a loader of its own on the executor: every task of a job would compile the same code
 * again, and the JVM would learn anew what is hot in it. A session without jars and classes of its
 * own, as nearly all of Python are, works with the engine's loader instead.
 */
public final class SharedClasses implements SparkPlugin {
  @Override
  public DriverPlugin driverPlugin() {
    return null;
  }

  @Override
  public ExecutorPlugin executorPlugin() {
    return new Tasks();
  }

  private static final class Tasks implements ExecutorPlugin {
    private ClassLoader shared;

    @Override
    public void init(PluginContext context, Map<String, String> settings) {
      shared = Thread.currentThread().getContextClassLoader();
    }

    @Override
    public void onTaskStart() {
      Thread thread = Thread.currentThread();
      ClassLoader own = thread.getContextClassLoader();
      for (IsolatedSessionState session : IsolatedSessionState.sessions().values()) {
        if (session.replClassLoader() == own && !hasClasses(session.sessionUUID())) {
          thread.setContextClassLoader(shared);
        }
      }
    }

    private static boolean hasClasses(String session) {
      Path artifacts = ArtifactManager$.MODULE$.artifactRootDirectory().resolve(session);
      return Files.exists(artifacts.resolve("jars")) || Files.exists(artifacts.resolve("classes"));
    }
  }
}
