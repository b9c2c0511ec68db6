package laketop.engine;

import java.nio.file.Path;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;

/**
 * Who is making which table.
 *
 * <p>A table's folder without a commit is a table in the making when it is claimed, and the rest of
 * a killed statement when it is not.
 */
final class Claims {
  private static final long LONGEST_MINUTES = 10;
  private static final Map<Path, Semaphore> OPEN = new ConcurrentHashMap<>();

  private Claims() {}

  /** Waits for whoever makes this table, then makes it this caller's. */
  static void take(Path table) {
    try {
      Semaphore claim = OPEN.computeIfAbsent(table, path -> new Semaphore(1));
      if (!claim.tryAcquire(LONGEST_MINUTES, TimeUnit.MINUTES)) {
        throw Refusal.of("CONCURRENT_CREATE", "Another statement has been creating the table `"
            + table.getFileName() + "` for " + LONGEST_MINUTES + " minutes.");
      }
    } catch (InterruptedException e) {
      throw Lake.sneak(e);
    }
  }

  static void release(Path table) {
    OPEN.get(table).release();
  }
}
