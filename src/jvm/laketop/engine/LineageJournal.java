package laketop.engine;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Map;

/**
 * Where lineage waits for the workspace: lines of JSON in {@code _lineage/}, one file for each
 * start of the engine and each {@code MOST_BYTES}, by whose names they are read in order.
 *
 * <p>A line is written at once, so that what was written survives a kill of the engine.
 */
final class LineageJournal {
  private static final long MOST_BYTES = 4L << 20;
  private static Path file;

  private LineageJournal() {}

  static synchronized void append(Map<String, Object> line) {
    try {
      if (file == null || Files.exists(file) && Files.size(file) > MOST_BYTES) {
        Path folder = Lake.root().resolve("_lineage");
        Files.createDirectories(folder);
        file = folder.resolve(String.format("%019d.jsonl", System.nanoTime() + START));
      }
      byte[] text = (JsonFiles.text(line) + "\n").getBytes(StandardCharsets.UTF_8);
      Files.write(file, text, StandardOpenOption.CREATE, StandardOpenOption.APPEND);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static final long START = System.currentTimeMillis() * 1_000_000L - System.nanoTime();
}
