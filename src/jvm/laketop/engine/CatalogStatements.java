package laketop.engine;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.apache.spark.sql.classic.SparkSession;

/** The statements about catalogs. */
final class CatalogStatements {
  static final List<Statement> ALL = List.of(
      Statement.of("CREATE~CATALOG(?<guard>~IF~NOT~EXISTS)?~<name>"
          + "(?:~COMMENT~<text>)?", CatalogStatements::create),
      Statement.refused("CREATE~(?:CATALOG|SCHEMA|DATABASE)~(?:[^']|'[^']*')*?"
          + "\\bMANAGED~LOCATION\\b.*",
          "MANAGED LOCATION is not supported: tables lie in the project's own state folder."),
      Statement.refused("ALTER~(?:CATALOG|SCHEMA|DATABASE)~<name>~SET~MANAGED~LOCATION\\b.*",
          "MANAGED LOCATION is not supported: tables lie in the project's own state folder."),
      Statement.of("DROP~CATALOG(?<guard>~IF~EXISTS)?~<name>(?:~(?<mode>CASCADE|RESTRICT))?",
          CatalogStatements::drop),
      Statement.of("SHOW~CATALOGS(?:~(?:LIKE~)?<text>)?", CatalogStatements::show),
      Statement.of("(?:DESC|DESCRIBE)~CATALOG(?<extended>~EXTENDED)?~<name>", CatalogStatements::describe),
      Statement.of("COMMENT~ON~CATALOG~<name>~IS~(?:<text>|NULL)", CatalogStatements::comment));

  private CatalogStatements() {}

  private static String name(SparkSession session, Matcher words) {
    List<String> parts = Names.parts(session, words.group("name"));
    if (parts.size() != 1) {
      throw Refusal.of("INVALID_NAME", "A catalog's name has one part, not " + parts.size() + ".");
    }
    return parts.get(0);
  }

  private static Rows create(SparkSession session, Matcher words) {
    String name = Names.checkedContainer(name(session, words));
    Path catalog = Lake.catalog(name);
    if (name.equals("spark_catalog") || name.equals(HiveMetastore.NAME)) {
      throw Refusal.of("INVALID_NAME", "`" + name + "` is kept for what was before Unity Catalog.");
    }
    if (Files.exists(catalog)) {
      if (words.group("guard") != null) {
        return null;
      }
      throw Refusal.taken("CATALOG_ALREADY_EXISTS", "catalog", name);
    }
    Access.require("CREATE CATALOG", Grants.METASTORE, "metastore");
    String user = Sessions.user();
    Grants.forgetAll(name); // of one of this name, when a kill left them
    JsonFiles.write(Lake.catalogFile(catalog),
        Map.of("owner", user, "comment", Statement.text(words)));
    JsonFiles.write(Lake.schemaFile(catalog.resolve("default")), Map.of("owner", user));
    return null;
  }

  private static Rows drop(SparkSession session, Matcher words) {
    String name = name(session, words);
    if (words.group("guard") != null && !Catalogs.names().contains(name)) {
      return null;
    }
    Path catalog = Catalogs.existing(name);
    Access.require("MANAGE", "CATALOG", name);
    if (name.equals(Lake.MAIN)) {
      throw Refusal.of("CANNOT_DROP_CATALOG", "Catalog 'main' is where sessions begin.");
    }
    if (!"CASCADE".equalsIgnoreCase(words.group("mode")) && !empty(catalog)) {
      throw Refusal.of("CATALOG_NOT_EMPTY",
          "Catalog '" + name + "' is not empty; use DROP CATALOG ... CASCADE.");
    }
    Folders.discard(catalog);
    Dropped.forget(name);
    Grants.forgetAll(name);
    Functions.forget(session, name);
    return null;
  }

  /** A catalog with nothing but an empty schema called default is empty. */
  private static boolean empty(Path catalog) {
    Path only = catalog.resolve("default");
    return Folders.list(catalog).stream().noneMatch(p -> Files.isDirectory(p) && !p.equals(only))
        && Folders.list(only).stream().noneMatch(CatalogStatements::content);
  }

  private static boolean content(Path path) {
    boolean folder = Files.isDirectory(path);
    return folder && !path.getFileName().toString().startsWith("_")
        || folder && !JsonFiles.names(path).isEmpty();
  }

  private static Rows show(SparkSession session, Matcher words) {
    Pattern like = Names.like(words.group("text"));
    List<Object[]> rows = new ArrayList<>();
    for (String name : Catalogs.seen(Sessions.user())) {
      if (like.matcher(name).matches()) {
        rows.add(new Object[] {name});
      }
    }
    return new Rows("catalogs", new String[] {"catalog"}, rows);
  }

  private static Rows describe(SparkSession session, Matcher words) {
    String name = name(session, words);
    Map<String, String> entry = JsonFiles.read(Lake.catalogFile(Catalogs.existing(name)));
    Access.requireKnown(Sessions.user(), "CATALOG", name);
    List<Object[]> rows = new ArrayList<>(List.of(
        new Object[] {"Catalog Name", name},
        new Object[] {"Comment", entry.get("comment")},
        new Object[] {"Owner", entry.get("owner")}));
    if (words.group("extended") != null) {
      rows.add(new Object[] {"Storage Root", Lake.location(Lake.catalog(name))});
    }
    return new Rows("catalog", new String[] {"info_name", "info_value"}, rows);
  }

  private static Rows comment(SparkSession session, Matcher words) {
    String name = name(session, words);
    Path file = Lake.catalogFile(Catalogs.existing(name));
    Access.require("MANAGE", "CATALOG", name);
    Lake.change(file, entry -> entry.put("comment", Statement.text(words)));
    return null;
  }
}
