package laketop.task;

import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.lang.reflect.InvocationTargetException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import org.apache.spark.sql.SparkSession;

/**
 * The main class of a JAR task's own JVM:
 * {@code JarTask <result file> <main class> [--jar FILE] [--conf NAME=VALUE] -- [argument]}.
 *
 * <p>It opens the session that {@code SparkSession.builder().getOrCreate()} of the main class then
 * finds, brings the jars along for its functions, and writes down how the main class has ended:
 * an empty object, or {@code error} and {@code error_trace}. Exit codes: 0, 1 where it raised, and
 * whatever else the main class exits with.
 */
public final class JarTask {
  private static final String NO_CONTEXT =
      "\nhint: this code speaks Spark Connect, which has no SparkContext and no RDDs: use"
          + " SparkSession.builder().getOrCreate()";
  private static final List<String> OF_A_CONTEXT =
      List.of("A master URL must be set", "SESSION_SPARK_CONTEXT", "UNSUPPORTED_CONNECT_FEATURE.RDD");

  private JarTask() {}

  public static void main(String[] args) throws IOException {
    Deque<String> given = new ArrayDeque<>(List.of(args));
    Path result = Path.of(given.removeFirst());
    String name = given.removeFirst();
    write(result, Map.of()); // of a main class that exits by itself, the exit code tells the end
    int code = 0;
    try {
      SparkSession session = opened(given);
      call(name, given.toArray(String[]::new));
      session.close(); // else the engine keeps it for an hour
    } catch (Throwable raised) {
      code = 1;
      StringWriter trace = new StringWriter();
      raised.printStackTrace(new PrintWriter(trace));
      System.err.print(trace);
      write(result, Map.of("error", told(raised), "error_trace", trace.toString()));
    }
    System.exit(code); // threads that are left do not keep the task
  }

  /** Returns the session with what the options before {@code --} ask for, and takes them away. */
  private static SparkSession opened(Deque<String> given) {
    SparkSession session = SparkSession.builder().getOrCreate();
    for (String option = given.removeFirst(); !option.equals("--"); option = given.removeFirst()) {
      String value = given.removeFirst();
      if (option.equals("--jar")) {
        session.addArtifact(value);
      } else {
        session.conf().set(value.substring(0, value.indexOf('=')),
            value.substring(value.indexOf('=') + 1));
      }
    }
    return session;
  }

  private static void call(String name, String[] arguments) throws Throwable {
    try {
      Class.forName(name).getMethod("main", String[].class).invoke(null, (Object) arguments);
    } catch (InvocationTargetException e) {
      throw e.getCause();
    }
  }

  private static String told(Throwable raised) {
    String text = raised.toString();
    return OF_A_CONTEXT.stream().anyMatch(text::contains) ? text + NO_CONTEXT : text;
  }

  private static void write(Path file, Map<String, String> content) throws IOException {
    Path draft = file.resolveSibling(file.getFileName() + ".draft");
    Files.write(draft, new ObjectMapper().writeValueAsBytes(content));
    Files.move(draft, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
  }
}
