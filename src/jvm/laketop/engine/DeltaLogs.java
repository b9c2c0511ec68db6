package laketop.engine;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/** What the log of a Delta table says in its newest commits, without a snapshot of the table. */
public final class DeltaLogs {
  private static final String COMMIT = "\\d{20}\\.json";
  private static final String METADATA = "{\"metaData\":";
  /** How many commits are read at most: a snapshot is cheaper than the whole of a long log. */
  private static final int MOST_COMMITS = 20;

  private DeltaLogs() {}

  /**
   * Returns the newest metadata of the table in a folder; nothing where none of the newest commits
   * has it, but an older one or a checkpoint, or the log cannot be read. Source: the Delta
   * transaction log protocol, "Change Metadata".
   */
  public static Optional<JsonNode> metadata(Path table) {
    List<Path> commits = Folders.list(table.resolve("_delta_log")).stream()
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
