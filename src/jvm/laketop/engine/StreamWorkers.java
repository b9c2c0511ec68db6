package laketop.engine;

import java.nio.file.Path;
import java.security.SecureRandom;
import java.util.HexFormat;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.apache.spark.connect.proto.Command;
import org.apache.spark.connect.proto.ExecutePlanRequest;
import org.apache.spark.sql.classic.SparkSession;
import org.apache.spark.sql.connect.service.SessionHolder;
import org.sparkproject.connect.protobuf.Message;

/**
 * Lets the Python of a user's {@code foreachBatch} and of a user's listener back in.
 *
 * <p>Spark starts that Python without a token and on the server's interpreter. Before it does, what
 * the Python needs is written for {@code stream_worker.py}: a token of its own, which makes it the
 * user that started the stream and dies with the engine, and the interpreter of the user's session.
 */
final class StreamWorkers {
  private static final String INTERPRETER = "spark.sql.execution.pyspark.python";
  private static final SecureRandom RANDOM = new SecureRandom();
  private static final int TOKEN_BYTES = 32;
  private static final Map<String, String> TOKENS = new ConcurrentHashMap<>();
  private static final Map<String, String> NAMES = new ConcurrentHashMap<>();

  private StreamWorkers() {}

  /** Returns the user whose stream's Python bears this token, or null. */
  static String userOf(String token) {
    return NAMES.get(token);
  }

  /** Prepares what Spark starts for this call, if it starts any Python of a stream. */
  static void expect(Message call) {
    if (!(call instanceof ExecutePlanRequest request) || !startsPython(request.getPlan().getCommand())) {
      return;
    }
    String user = request.getUserContext().getUserId();
    SparkSession session = Sessions.of(user, request.getSessionId());
    if (session == null) {
      return;
    }
    String key = Users.digest(user + " " + request.getSessionId());
    String token = TOKENS.computeIfAbsent(key, unused -> newToken());
    NAMES.put(token, user);
    String python = session.conf().get(INTERPRETER, "");
    JsonFiles.write(folder().resolve(key + ".json"), Map.of("token", token, "python", python));
  }

  private static boolean startsPython(Command command) {
    return command.getWriteStreamOperationStart().getForeachBatch().hasPythonFunction()
        || command.getStreamingQueryManagerCommand().hasAddListener();
  }

  /** The temporary folder goes with the engine, and only its user may read it. */
  private static Path folder() {
    return Path.of(System.getProperty("java.io.tmpdir"), "stream-workers");
  }

  private static String newToken() {
    byte[] bytes = new byte[TOKEN_BYTES];
    RANDOM.nextBytes(bytes);
    return HexFormat.of().formatHex(bytes);
  }
}
