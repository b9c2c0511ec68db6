package laketop.engine;

import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** Small JSON files; a kill leaves the old one or the new one. */
public final class JsonFiles {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final String SUFFIX = ".json";

  /** What files held when {@link #once} first read them, in the thread that it runs in. */
  private static final ThreadLocal<Map<Path, Map<String, String>>> SEEN = new ThreadLocal<>();

  private JsonFiles() {}

  /** What is done in one look. */
  interface Look<T, E extends Exception> {
    T take() throws E;
  }

  /** Reads each file once while it runs: what a list tells of a thousand objects is of one moment. */
  static <T, E extends Exception> T once(Look<T, E> look) throws E {
    if (SEEN.get() != null) {
      return look.take();
    }
    SEEN.set(new HashMap<>());
    try {
      return look.take();
    } finally {
      SEEN.remove();
    }
  }

  /** Returns what the file holds, which nobody may change; nothing when there is no file. */
  public static Map<String, String> look(Path file) {
    Map<Path, Map<String, String>> seen = SEEN.get();
    return seen == null ? read(file) : seen.computeIfAbsent(file, JsonFiles::read);
  }

  /** Returns what the file holds; nothing when there is no file. */
  @SuppressWarnings("unchecked")
  public static Map<String, String> read(Path file) {
    if (!Files.exists(file)) {
      return new HashMap<>();
    }
    try {
      return JSON.readValue(file.toFile(), HashMap.class);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  public static void write(Path file, Map<String, String> entries) {
    try {
      Files.createDirectories(file.getParent());
      Path temporary = Files.createTempFile(file.getParent(), ".", ".tmp");
      Files.write(temporary, JSON.writeValueAsBytes(new TreeMap<>(entries)));
      try (FileChannel channel = FileChannel.open(temporary, StandardOpenOption.WRITE)) {
        channel.force(true);
      }
      replace(temporary, file);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Writes a text that readers see whole or not at all. */
  static void writeText(Path file, String text) {
    try {
      Path temporary = file.resolveSibling("." + file.getFileName() + ".tmp");
      Files.writeString(temporary, text);
      replace(temporary, file);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static void replace(Path from, Path to) throws IOException {
    Files.move(from, to, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
  }

  /** Renames a file if it is there. */
  public static void move(Path from, Path to) {
    if (!Files.exists(from)) {
      return;
    }
    try {
      Files.createDirectories(to.getParent());
      Files.move(from, to, StandardCopyOption.ATOMIC_MOVE);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  public static void delete(Path file) {
    try {
      Files.deleteIfExists(file);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Returns the names of the JSON files in a folder, without their ending, sorted. */
  public static List<String> names(Path folder) {
    return Folders.list(folder).stream()
        .map(path -> path.getFileName().toString())
        .filter(name -> name.endsWith(SUFFIX) && !name.startsWith("."))
        .map(name -> name.substring(0, name.length() - SUFFIX.length()))
        .toList();
  }

  static String text(Object value) {
    try {
      return JSON.writeValueAsString(value);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  static <T> T parse(String text, Class<T> type) {
    try {
      return JSON.readValue(text, type);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
