package laketop.engine;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.UUID;

/**
 * A managed Delta table that was dropped, and that UNDROP brings back for seven days.
 *
 * <p>{@code .dropped/<id>/} holds its folder as {@code files}, and {@code _table.json} with what was
 * beside it. The folder's rename is the drop, as its rename back is the return: a kill leaves the
 * table here or there. Source: Databricks' documentation of UNDROP, which leaves keys out.
 */
public record Dropped(String id, Path folder, Map<String, String> entry) {
  private static final Duration KEPT = Duration.ofDays(7);
  private static final List<String> BESIDE = List.of("tags", "policies");
  private static final String GRANTS = "grants";

  /** Drops the table of this name, whose files lie in the folder. */
  public static void keep(String[] name, Path table, String owner) {
    Path away = place().resolve(UUID.randomUUID().toString());
    Map<String, String> entry = new HashMap<>(Map.of("name", String.join(".", name),
        "owner", owner, "deleted_at", Instant.now().toString(),
        GRANTS, JsonFiles.text(Grants.on("TABLE", String.join(".", name)))));
    for (String kind : BESIDE) {
      Map<String, String> beside = JsonFiles.read(Lake.entry(kind, name));
      if (!beside.isEmpty()) {
        entry.put(kind, JsonFiles.text(beside));
      }
    }
    JsonFiles.write(away.resolve("_table.json"), entry);
    try {
      move(table, away.resolve("files"));
    } catch (UncheckedIOException e) {
      Folders.discard(away);
      throw e;
    }
  }

  /** Returns those of a schema that the user may bring back, the newest first. */
  static List<Dropped> of(String user, String catalog, String schema) {
    String object = catalog + "." + schema;
    boolean manages = Access.allows(user, "MANAGE", "SCHEMA", object);
    boolean uses = Access.allows(user, "USE SCHEMA", "SCHEMA", object);
    return all().stream()
        .filter(Dropped::here)
        .filter(table -> table.name().startsWith(object + "."))
        .filter(table -> manages || uses && Principals.is(user, table.owner()))
        .sorted(Comparator.comparing(Dropped::deleted).reversed())
        .toList();
  }

  /** Deletes those that are too old, and the rest of a drop that was killed. */
  static void forgetOld() {
    all().stream().filter(table -> !table.here()).forEach(Dropped::delete);
  }

  /** Deletes those of a schema or catalog that is gone. */
  static void forget(String object) {
    all().stream().filter(table -> table.name().startsWith(object + ".")).forEach(Dropped::delete);
  }

  private static List<Dropped> all() {
    List<Dropped> all = new ArrayList<>();
    for (Path folder : Folders.list(place())) {
      Map<String, String> entry = JsonFiles.read(folder.resolve("_table.json"));
      all.add(new Dropped(folder.getFileName().toString(), folder, entry));
    }
    return all;
  }

  private static Path place() {
    return Lake.root().resolve(".dropped");
  }

  String name() {
    return entry.getOrDefault("name", "");
  }

  String owner() {
    return entry.get("owner");
  }

  Instant deleted() {
    return Instant.parse(entry.get("deleted_at"));
  }

  Path files() {
    return folder.resolve("files");
  }

  private boolean here() {
    return Files.isDirectory(files())
        && !entry.isEmpty()
        && deleted().plus(KEPT).isAfter(Instant.now());
  }

  private void delete() {
    Folders.discard(folder);
  }

  /**
   * Puts the table back where it was, a place that must be free and this caller's.
   *
   * <p>Its policies are there before it is, so that nobody reads it without them; its grants come
   * after it, so that they are never another table's.
   */
  @SuppressWarnings("unchecked")
  void restore(Path table) {
    String[] name = name().split("\\.");
    for (String kind : BESIDE) {
      Path file = Lake.entry(kind, name);
      if (entry.containsKey(kind)) {
        JsonFiles.write(file, JsonFiles.parse(entry.get(kind), HashMap.class));
      } else {
        JsonFiles.delete(file);
      }
    }
    JsonFiles.write(Lake.entry("owners", name), Map.of("owner", owner()));
    Folders.discard(table); // what a killed statement left there
    move(files(), table);
    Map<String, List<String>> grants = JsonFiles.parse(entry.get(GRANTS), HashMap.class);
    grants.forEach((who, privileges) ->
        Grants.change(true, new HashSet<>(privileges), "TABLE", name(), who));
    delete();
  }

  private static void move(Path from, Path to) {
    try {
      Files.createDirectories(to.getParent());
      Files.move(from, to, StandardCopyOption.ATOMIC_MOVE);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
