package laketop.engine;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.FileTime;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.Stream;

/** What the log of a Delta table says in its newest commits, without a snapshot of the table. */
public final class DeltaLogs {
  private static final String COMMIT = "\\d{20}\\.json";
  private static final String METADATA = "{\"metaData\":";
  /** How many commits are read at most: a snapshot is cheaper than the whole of a long log. */
  private static final int MOST_COMMITS = 20;
  /** How many tables are remembered at most. */
  private static final int MOST_TABLES = 4096;
  /** How long a folder must have stood still before its time tells of its next change. */
  private static final long STILL_MS = 2000;
  private static final Map<Path, Seen> SEEN = new ConcurrentHashMap<>();

  /** The metadata of a log whose folder was this one, last changed then. */
  private record Seen(Object folder, FileTime changed, Optional<JsonNode> metadata) {}

  private DeltaLogs() {}

  /**
   * Returns the newest metadata of the table in a folder; nothing where none of the newest commits
   * has it, but an older one or a checkpoint, or the log cannot be read. Source: the Delta
   * transaction log protocol, "Change Metadata".
   */
  public static Optional<JsonNode> metadata(Path table) {
    Path log = table.resolve("_delta_log");
    BasicFileAttributes now;
    try {
      now = Files.readAttributes(log, BasicFileAttributes.class);
    } catch (IOException e) {
      return Optional.empty(); // a folder without a log is no table of Delta
    }
    Seen seen = SEEN.get(table);
    if (seen != null && now.lastModifiedTime().equals(seen.changed())
        && Objects.equals(now.fileKey(), seen.folder())) {
      return seen.metadata();
    }
    boolean still = System.currentTimeMillis() - now.lastModifiedTime().toMillis() > STILL_MS;
    Optional<JsonNode> metadata = read(log);
    if (still) {
      if (SEEN.size() >= MOST_TABLES) {
        SEEN.clear();
      }
      SEEN.put(table, new Seen(now.fileKey(), now.lastModifiedTime(), metadata));
    }
    return metadata;
  }

  private static Optional<JsonNode> read(Path log) {
    List<Path> commits = Folders.list(log).stream()
        .filter(file -> file.getFileName().toString().matches(COMMIT))
        .sorted(Comparator.reverseOrder())
        .limit(MOST_COMMITS)
        .toList();
    try {
      return commits.stream().map(DeltaLogs::newest).flatMap(Optional::stream).findFirst();
    } catch (UncheckedIOException e) {
      return Optional.empty(); // Delta has the words for a log that is cut
    }
  }

  private static Optional<JsonNode> newest(Path commit) {
    try (Stream<String> lines = Files.lines(commit)) {
      return lines.filter(line -> line.startsWith(METADATA))
          .reduce((earlier, later) -> later)
          .map(line -> JsonFiles.parse(line, JsonNode.class).path("metaData"));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
