package laketop.engine;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import org.apache.spark.sql.classic.SparkSession;
import org.apache.spark.sql.connect.service.SparkConnectService;
import org.apache.spark.sql.connect.service.SparkConnectService$;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.xerial.snappy.Snappy;

/**
 * The engine's main class: {@code EngineMain <parent pid> <ready file> [idle seconds]}.
 *
 * <p>A Spark Connect server that ends with its parent process, says in the ready file that it is
 * {@code serving} and later that it is {@code warm}, and ends by itself when nobody used it for
 * the idle seconds (0 = never). Exit codes: 0 idle, 1 without parent or if it cannot serve, 143 by
 * TERM.
 */
public final class EngineMain {
  private static final Logger LOG = LoggerFactory.getLogger(EngineMain.class);
  private static final long PAUSE_MS = 100;
  private static final long QUIET_SECONDS = 2;
  private static final int ORPHAN = 1;
  private static final int NOT_SERVING = 1;

  private EngineMain() {}

  public static void main(String[] args) throws Exception {
    if (args.length < 2) {
      throw new IllegalArgumentException("EngineMain <parent pid> <ready file> [idle seconds]");
    }
    Path ready = Path.of(args[1]);
    long idleSeconds = args.length > 2 ? Long.parseLong(args[2]) : 0;
    endWith(Long.parseLong(args[0]));
    Files.deleteIfExists(ready);
    unpackSnappy();
    Folders.emptyTrash();
    Dropped.forgetOld();
    Lake.prepare();
    daemon("laketop-ready", () -> serve(ready, idleSeconds));
    try {
      connect();
    } catch (Throwable e) {
      LOG.error("the engine cannot serve: {}", e.toString());
      System.exit(NOT_SERVING); // threads of Spark would keep a JVM that is never ready
    }
  }

  /** Its library finds room now; on a disk that is full later it would never be tried again. */
  private static void unpackSnappy() {
    try {
      Snappy.maxCompressedLength(1);
    } catch (LinkageError e) {
      LOG.warn("files of Snappy cannot be read: {}", e.toString());
    }
  }

  /**
   * Serves until the server is stopped.
   *
   * <p>Spark's own main class gives each session a class loader of its own from the start, and so
   * generated code of its own, compiled anew; here a session gets one with its first jar or class.
   */
  private static void connect() throws InterruptedException {
    SparkSession session = SparkSession.builder().getOrCreate();
    try {
      SparkConnectService.start(session.sparkContext());
      SparkConnectService$.MODULE$.server().awaitTermination();
    } finally {
      session.stop();
    }
  }

  /** Halts when the parent is gone; it is also asked for, in case its end is not reported. */
  private static void endWith(long pid) {
    Optional<ProcessHandle> parent = ProcessHandle.of(pid);
    parent.ifPresent(process -> process.onExit().thenRun(EngineMain::halt));
    daemon("laketop-parent", () -> {
      while (parent.isPresent() && parent.get().isAlive()) {
        pause();
      }
      halt();
    });
  }

  private static void halt() {
    Runtime.getRuntime().halt(ORPHAN);
  }

  private static void serve(Path ready, long idleSeconds) {
    while (!SparkConnectService$.MODULE$.started()) {
      pause();
    }
    Activity.begin();
    JsonFiles.writeText(ready, "serving");
    SparkSession session = SparkSession.builder().getOrCreate();
    daemon("laketop-warm-up", () -> warmUp(session, ready));
    if (idleSeconds > 0) {
      endIdle(session, idleSeconds);
    }
  }

  private static void endIdle(SparkSession session, long idleSeconds) {
    while (Activity.idleSeconds(session) < idleSeconds) {
      pause();
    }
    LOG.info("nobody used the engine for {} seconds", idleSeconds);
    System.exit(0);
  }

  /** What a client does at once warms the engine too, and would wait for the warm-up's share. */
  private static void waitForQuiet(SparkSession session) {
    while (!Activity.isQuiet(session, QUIET_SECONDS)) {
      pause();
    }
  }

  private static void warmUp(SparkSession session, Path ready) {
    try {
      WarmUp.run(session, () -> waitForQuiet(session));
      JsonFiles.writeText(ready, "warm");
    } catch (Exception e) {
      LOG.warn("the warm-up failed, the first statements will be slower", e);
    }
  }

  private static void daemon(String name, Runnable body) {
    Thread thread = new Thread(body, name);
    thread.setDaemon(true);
    thread.start();
  }

  private static void pause() {
    try {
      Thread.sleep(PAUSE_MS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
