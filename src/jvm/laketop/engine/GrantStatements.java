package laketop.engine;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.regex.Matcher;
import org.apache.spark.sql.classic.SparkSession;

/** The statements about privileges and owners. */
final class GrantStatements {
  private static final String TYPES = "CATALOG|SCHEMA|DATABASE|TABLE|VIEW|VOLUME|FUNCTION";
  private static final String ON =
      "~ON~(?:(?<metastore>METASTORE)|(?:(?<type>" + TYPES + ")~)?<name>)";
  static final List<Statement> ALL = List.of(
      Statement.of("GRANT~(?<privileges>.+?)" + ON + "~TO~<who>",
          (session, words) -> change(true, session, words)),
      Statement.of("REVOKE~(?<privileges>.+?)" + ON + "~FROM~<who>",
          (session, words) -> change(false, session, words)),
      Statement.of("SHOW~GRANTS?(?:~(?!ON\\s)<who>)?" + ON, GrantStatements::show),
      Statement.refused("DENY~.*",
          "DENY is not supported in Unity Catalog; REVOKE what was granted."),
      Statement.of("ALTER~(?<type>" + TYPES + ")~<name>~(?:SET~)?OWNER~TO~<who>",
          GrantStatements::own));

  private GrantStatements() {}

  /** Views are tables to grants. */
  static String type(Matcher words) {
    String type = words.group("type");
    String upper = type == null ? "TABLE" : type.toUpperCase(Locale.ROOT);
    return upper.equals("DATABASE") ? "SCHEMA" : upper.equals("VIEW") ? "TABLE" : upper;
  }

  static String[] name(SparkSession session, String type, String written) {
    return switch (type) {
      case "CATALOG" -> Names.parts(session, written).toArray(String[]::new);
      case "SCHEMA" -> Names.schema(session, written);
      default -> Names.full(session, written);
    };
  }

  private static String object(SparkSession session, Matcher words) {
    return words.group("metastore") != null
        ? "metastore"
        : String.join(".", name(session, type(words), words.group("name")));
  }

  private static Rows change(boolean grant, SparkSession session, Matcher words) {
    String type = words.group("metastore") != null ? Grants.METASTORE : type(words);
    String object = object(session, words);
    Set<String> privileges = Privileges.parse(words.group("privileges"), type);
    Securables.require(session, type, object.split("\\."));
    Access.requireGranting(type, object);
    Grants.change(grant, privileges, type, object, Statement.who(words));
    return null;
  }

  private static Rows show(SparkSession session, Matcher words) {
    String type = words.group("metastore") != null ? Grants.METASTORE : type(words);
    String object = object(session, words);
    Securables.require(session, type, object.split("\\."));
    String user = Sessions.user();
    String asked = Statement.who(words);
    boolean all = Access.allows(user, "MANAGE", type, object);
    Set<String> own = Principals.of(user);
    return Grants.show(
        who -> (all || own.contains(who)) && (asked == null || asked.equals(who)), type, object);
  }

  private static Rows own(SparkSession session, Matcher words) {
    String type = type(words);
    String[] name = name(session, type, words.group("name"));
    Securables.require(session, type, name);
    Access.require("MANAGE", type, String.join(".", name));
    Path file = ownerFile(type, name);
    Lake.change(file, entry -> entry.put("owner", Statement.who(words)));
    return null;
  }

  private static Path ownerFile(String type, String[] name) {
    return switch (type) {
      case "CATALOG" -> Lake.catalogFile(Catalogs.existing(name[0]));
      case "SCHEMA" -> Lake.schemaFile(Lake.schema(name[0], name[1]));
      case "TABLE" -> relationFile(name);
      default -> Lake.entry(Names.key(type) + "s", name);
    };
  }

  private static Path relationFile(String[] name) {
    Path view = Lake.entry("views", name);
    return Files.exists(view) ? view : Lake.entry("owners", name);
  }
}
