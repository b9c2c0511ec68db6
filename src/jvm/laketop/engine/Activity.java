package laketop.engine;

import org.apache.spark.sql.classic.SparkSession;
import org.apache.spark.sql.connect.service.SparkConnectService$;

/** When a client last called, and whether anything runs now. */
final class Activity {
  private static volatile long lastCall = System.nanoTime();
  private static volatile boolean wasCalled;

  private Activity() {}

  /** Counts the idle time from now on. */
  static void begin() {
    lastCall = System.nanoTime();
    wasCalled = false;
  }

  static void touch() {
    lastCall = System.nanoTime();
    wasCalled = true;
  }

  /** Returns whether nobody has called yet, or nobody for some seconds. */
  static boolean isQuiet(SparkSession session, long seconds) {
    return idleSeconds(session) >= seconds || !wasCalled;
  }

  /** Returns the seconds since the last call, or 0 while a statement or a stream runs. */
  static long idleSeconds(SparkSession session) {
    boolean statement = SparkConnectService$.MODULE$.listActiveExecutions().isRight();
    boolean stream = !session.sharedState().activeStreamingQueries().isEmpty();
    if (statement || stream) {
      touch();
    }
    return (System.nanoTime() - lastCall) / 1_000_000_000L;
  }
}
