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
  private static final Map<Path, Claim> OPEN = new ConcurrentHashMap<>();

  /** One table's, kept while anybody has it or waits for it. */
  private static final class Claim {
    private final Semaphore turn = new Semaphore(1);
    private int callers;
  }

  private Claims() {}

  /** Waits for whoever makes this table, then makes it this caller's. */
  static void take(Path table) {
    Claim claim = OPEN.compute(table, (path, known) -> {
      Claim one = known == null ? new Claim() : known;
      one.callers++;
      return one;
    });
    boolean taken = false;
    try {
      taken = claim.turn.tryAcquire(LONGEST_MINUTES, TimeUnit.MINUTES);
    } catch (InterruptedException e) {
      throw Lake.sneak(e);
    } finally {
      if (!taken) {
        leave(table);
      }
    }
    if (!taken) {
      throw Refusal.of("CONCURRENT_CREATE", "Another statement has been creating the table `"
          + table.getFileName() + "` for " + LONGEST_MINUTES + " minutes.");
    }
  }

  static void release(Path table) {
    OPEN.get(table).turn.release();
    leave(table);
  }

  private static void leave(Path table) {
    OPEN.computeIfPresent(table, (path, claim) -> --claim.callers == 0 ? null : claim);
  }
}
