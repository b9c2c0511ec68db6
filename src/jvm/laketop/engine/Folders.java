package laketop.engine;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Comparator;
import java.util.List;
import java.util.UUID;
import java.util.stream.Stream;

/** Listing folders, and removing them by one rename. */
public final class Folders {
  private Folders() {}

  /** Returns what the folder holds, sorted; nothing when there is no folder. */
  public static List<Path> list(Path folder) {
    try (Stream<Path> entries = Files.list(folder)) {
      return entries.sorted().toList();
    } catch (NoSuchFileException | NotDirectoryException e) {
      return List.of();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Moves the folder out of the tree, then deletes it; of a link only the link itself. */
  public static void discard(Path folder) {
    if (!Files.exists(folder, LinkOption.NOFOLLOW_LINKS)) {
      return;
    }
    try {
      Path away = trash().resolve(UUID.randomUUID().toString());
      Files.createDirectories(away.getParent());
      Files.move(folder, away, StandardCopyOption.ATOMIC_MOVE);
      delete(away);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Deletes what a killed engine had moved away and not deleted. */
  static void emptyTrash() {
    list(trash()).forEach(Folders::delete);
  }

  private static Path trash() {
    return Lake.root().resolve(".trash");
  }

  private static void delete(Path folder) {
    try (Stream<Path> entries = Files.walk(folder)) {
      entries.sorted(Comparator.reverseOrder()).forEach(path -> path.toFile().delete());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
