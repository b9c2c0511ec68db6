package laketop.engine;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.apache.spark.sql.classic.SparkSession;

/** The statements about volumes. */
final class VolumeStatements {
  static final List<Statement> ALL = List.of(
      Statement.of("CREATE~VOLUME(?<guard>~IF~NOT~EXISTS)?~<name>(?:~COMMENT~<text>)?",
          VolumeStatements::create),
      Statement.of("CREATE~EXTERNAL~VOLUME(?<guard>~IF~NOT~EXISTS)?~<name>"
          + "~LOCATION~'(?<location>[^']*)'(?:~COMMENT~<text>)?", VolumeStatements::external),
      Statement.of("DROP~VOLUME(?<guard>~IF~EXISTS)?~<name>", VolumeStatements::drop),
      Statement.of("ALTER~VOLUME~<name>~RENAME~TO~(?<to>\\S+)", VolumeStatements::rename),
      Statement.of("SHOW~VOLUMES(?:~(?:IN|FROM)~<name>)?(?:~(?:LIKE~)?<text>)?",
          VolumeStatements::show),
      Statement.of("(?:DESC|DESCRIBE)~VOLUME(?:~EXTENDED)?~<name>", VolumeStatements::describe),
      Statement.of("COMMENT~ON~VOLUME~<name>~IS~(?:<text>|NULL)", VolumeStatements::comment));

  private static final String[] DESCRIBED =
      {"name", "catalog", "database", "owner", "storageLocation", "volumeType", "comment"};

  private VolumeStatements() {}

  private static Rows create(SparkSession session, Matcher words) throws IOException {
    return create(session, words, null);
  }

  private static Rows external(SparkSession session, Matcher words) throws IOException {
    return create(session, words, words.group("location"));
  }

  private static Rows create(SparkSession session, Matcher words, String location)
      throws IOException {
    String[] name = Names.full(session, words.group("name"));
    requireSchema(name);
    Path entry = Lake.entry("volumes", name);
    if (Files.exists(entry)) {
      if (words.group("guard") != null) {
        return null;
      }
      throw Refusal.taken("VOLUME_ALREADY_EXISTS", "volume", name);
    }
    Access.schema("CREATE VOLUME", name[0], name[1]);
    Map<String, String> kept = new HashMap<>(
        Map.of("owner", Sessions.user(), "comment", Statement.text(words)));
    if (location == null) {
      if (Files.isSymbolicLink(Lake.files(name))) {
        Folders.discard(Lake.files(name)); // of an external volume whose making was killed
      }
      Files.createDirectories(Lake.files(name));
    } else {
      Storage.link(location, Lake.files(name));
      kept.put(Storage.LOCATION, location);
    }
    Grants.forget("VOLUME", String.join(".", name)); // of one of this name, when a kill left them
    JsonFiles.write(entry, kept);
    return null;
  }

  private static Path existing(String[] name) {
    Path entry = Lake.entry("volumes", name);
    if (!Files.exists(entry)) {
      throw Refusal.missing("VOLUME_NOT_FOUND", "volume", name);
    }
    return entry;
  }

  private static Rows drop(SparkSession session, Matcher words) {
    String[] name = Names.full(session, words.group("name"));
    if (words.group("guard") != null && !Files.exists(Lake.entry("volumes", name))) {
      return null;
    }
    Path entry = existing(name);
    String object = String.join(".", name);
    Access.require("MANAGE", "VOLUME", object);
    JsonFiles.delete(entry);
    Folders.discard(Lake.files(name));
    Grants.forget("VOLUME", object);
    return null;
  }

  private static Rows rename(SparkSession session, Matcher words) {
    String[] from = Names.full(session, words.group("name"));
    existing(from);
    String[] to = renamed(from, Names.parts(session, words.group("to")));
    Access.require("MANAGE", "VOLUME", String.join(".", from));
    Access.schema("CREATE VOLUME", from[0], from[1]);
    if (Files.exists(Lake.entry("volumes", to))) {
      throw Refusal.taken("VOLUME_ALREADY_EXISTS", "volume", to);
    }
    Renames.run("VOLUME", from, to, Lake.files(from), Lake.files(to));
    return null;
  }

  /** Returns the new name of a volume, which stays in its schema. */
  private static String[] renamed(String[] from, List<String> to) {
    List<String> schema = List.of(from).subList(3 - to.size(), 2);
    if (!schema.equals(to.subList(0, to.size() - 1))) {
      throw Refusal.of("UNSUPPORTED_FEATURE",
          "A volume is renamed within its schema, not to `" + String.join("`.`", to) + "`.");
    }
    return new String[] {from[0], from[1], Names.checked(to.get(to.size() - 1))};
  }

  /** Requires the schema of a name of two parts or more. */
  private static void requireSchema(String[] name) {
    if (!Files.isDirectory(Lake.schema(name[0], name[1]))) {
      throw Refusal.missing("SCHEMA_NOT_FOUND", "schema", name[0], name[1]);
    }
  }

  private static Rows show(SparkSession session, Matcher words) {
    String written = words.group("name");
    String[] schema = written == null
        ? new String[] {
            session.sessionState().catalogManager().currentCatalog().name(),
            Names.currentSchema(session)}
        : Names.schema(session, written);
    requireSchema(schema);
    Pattern like = Names.like(words.group("text"));
    List<Object[]> rows = new ArrayList<>();
    for (String volume : JsonFiles.names(Lake.schema(schema[0], schema[1]).resolve("_volumes"))) {
      String object = String.join(".", schema[0], schema[1], volume);
      if (like.matcher(volume).matches() && Access.sees(Sessions.user(), "VOLUME", object)) {
        rows.add(new Object[] {schema[1], volume});
      }
    }
    return new Rows("volumes", new String[] {"database", "volume_name"}, rows);
  }

  private static Rows describe(SparkSession session, Matcher words) {
    String[] name = Names.full(session, words.group("name"));
    Map<String, String> entry = JsonFiles.read(existing(name));
    Access.requireKnown(Sessions.user(), "VOLUME", String.join(".", name));
    return new Rows("volume", DESCRIBED, List.<Object[]>of(new Object[] {
        name[2], name[0], name[1], entry.get("owner"), place(entry, name), type(entry),
        entry.get("comment")}));
  }

  /** Returns where a volume says that its files lie. */
  static String place(Map<String, String> entry, String[] name) {
    return entry.getOrDefault(Storage.LOCATION, "/Volumes/" + String.join("/", name));
  }

  static String type(Map<String, String> entry) {
    return entry.containsKey(Storage.LOCATION) ? "EXTERNAL" : "MANAGED";
  }

  private static Rows comment(SparkSession session, Matcher words) {
    String[] name = Names.full(session, words.group("name"));
    Path file = existing(name);
    Access.require("MANAGE", "VOLUME", String.join(".", name));
    Lake.change(file, entry -> entry.put("comment", Statement.text(words)));
    return null;
  }
}
