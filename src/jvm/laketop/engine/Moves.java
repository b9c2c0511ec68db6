package laketop.engine;

import java.io.File;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * Where the folder of catalogs lay before it was moved or copied: {@code _roots.json}.
 *
 * <p>A shallow clone names the files of its source by their whole path, of which Delta's log tells
 * for ever. What lay below an earlier folder is looked for below the one that there is now, also
 * where a copy left the earlier one in place: that is another project's.
 */
final class Moves {
  private static final String KEY = "roots";
  private static volatile List<String> earlier = List.of();

  private Moves() {}

  /** Reads where the folder lay, and writes down where it lies now. */
  static void prepare() {
    Path file = Lake.root().resolve("_roots.json");
    String now = Lake.root().toString();
    List<String> roots =
        new ArrayList<>(JsonFiles.read(file).getOrDefault(KEY, "").lines().toList());
    if (!roots.contains(now)) {
      roots.add(now);
      JsonFiles.write(file, Map.of(KEY, String.join("\n", roots)));
    }
    roots.remove(now);
    earlier = List.copyOf(roots);
  }

  static boolean moved(String path) {
    return !now(path).equals(path);
  }

  static File now(File file) {
    String path = file.getPath();
    String now = now(path);
    return now.equals(path) ? file : new File(now);
  }

  /** Returns the path, which is another one where it lay below an earlier folder. */
  static String now(String path) {
    for (String root : earlier) {
      if (path.startsWith(root) && (path.length() == root.length()
          || path.charAt(root.length()) == '/')) {
        return Lake.root() + path.substring(root.length());
      }
    }
    return path;
  }
}
