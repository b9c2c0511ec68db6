package laketop.engine;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;
import java.util.Map;
import java.util.UUID;

/**
 * Gives a table, view or volume another name, and with it all that lies beside it.
 *
 * <p>One move of a file or folder is the renaming. What lies beside is under both names by then, so
 * that nobody reads the object without its policies. {@code .renames/<id>.json} tells what was
 * begun: a kill leaves the object whole under one of its names, as soon as the engine is there again.
 */
public final class Renames {
  private static final Map<String, List<String>> BESIDE = Map.of(
      "TABLE", List.of("owners", "tags", "constraints", "policies"),
      "VOLUME", List.of("volumes", "tags"));

  private Renames() {}

  /** Renames an object of three parts, which is where {@code here} lies, by a move to there. */
  public static void run(String type, String[] from, String[] to, Path here, Path there) {
    Path begun = begun().resolve(UUID.randomUUID() + ".json");
    Claims.take(there);
    try {
      JsonFiles.write(begun, Map.of("type", type, "from", String.join(".", from),
          "to", String.join(".", to), "here", inLake(here), "there", inLake(there)));
      try {
        copy(type, from, to);
        Files.createDirectories(there.getParent());
        Files.move(here, there, StandardCopyOption.ATOMIC_MOVE);
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      } finally {
        settle(begun);
      }
    } finally {
      Claims.release(there);
    }
  }

  /** Ends what a kill has interrupted; is called before anybody reads. */
  static void prepare() {
    for (String name : JsonFiles.names(begun())) {
      settle(begun().resolve(name + ".json"));
    }
  }

  private static void copy(String type, String[] from, String[] to) {
    for (String kind : BESIDE.get(type)) {
      Map<String, String> entry = JsonFiles.read(Lake.entry(kind, from));
      if (entry.isEmpty()) {
        JsonFiles.delete(Lake.entry(kind, to)); // of a table that a kill left half dropped
      } else {
        JsonFiles.write(Lake.entry(kind, to), entry);
      }
    }
  }

  /** Leaves what lies beside the object under the name that it has now. */
  private static void settle(Path begun) {
    Map<String, String> told = JsonFiles.read(begun);
    boolean moved = isThere(told.get("there")) && !isThere(told.get("here"));
    String[] gone = told.get(moved ? "from" : "to").split("\\.");
    String type = told.get("type");
    BESIDE.get(type).forEach(kind -> JsonFiles.delete(Lake.entry(kind, gone)));
    if (moved) {
      Grants.rename(type, told.get("from"), told.get("to"));
    }
    JsonFiles.delete(begun);
  }

  private static boolean isThere(String place) {
    return Files.exists(Lake.root().resolve(place), LinkOption.NOFOLLOW_LINKS);
  }

  private static String inLake(Path place) {
    return Lake.root().relativize(place).toString();
  }

  private static Path begun() {
    return Lake.root().resolve(".renames");
  }
}
