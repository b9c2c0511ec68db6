package laketop.engine;

import java.nio.file.Path;
import java.util.Map;
import java.util.Set;
import org.apache.spark.sql.connector.catalog.Identifier;

/** Whether a user may do something: as an admin, as an owner, or by a grant. */
final class Access {
  /** Catalogs that nobody changes, and that everybody reads but for the system tables. */
  private static final Set<String> SHARED = Set.of(Samples.CATALOG, Lake.SYSTEM);
  private static final Set<String> OPEN =
      Set.of("SELECT", "USE CATALOG", "USE SCHEMA", "READ VOLUME", "EXECUTE");
  /** What the owner of a catalog or schema has on what others made in it only by a grant. */
  private static final Set<String> DATA =
      Set.of("SELECT", "MODIFY", "EXECUTE", "READ VOLUME", "WRITE VOLUME");
  /** No privilege by name: any on the object, or BROWSE, lets a user know of it. */
  static final String KNOWING = "knowing of it";
  private static final Map<String, String> PLAINEST = Map.of("CATALOG", "USE CATALOG",
      "SCHEMA", "USE SCHEMA", "TABLE", "SELECT", "VOLUME", "READ VOLUME", "FUNCTION", "EXECUTE");

  private Access() {}

  static String object(String catalog, Identifier id) {
    return catalog + "." + Names.key(id.namespace()[0]) + "." + Names.key(id.name());
  }

  /** Requires of the active session's user a privilege on a table or view. */
  static void table(String privilege, String catalog, Identifier id) {
    table(Sessions.user(), privilege, catalog, id);
  }

  static void table(String user, String privilege, String catalog, Identifier id) {
    String schema = id.namespace().length == 1 ? Names.key(id.namespace()[0]) : "delta";
    if (schema.equals("delta") || InformationSchema.holds(id)) {
      return;
    }
    if (privilege.equals(KNOWING)) {
      requireKnown(user, "TABLE", object(catalog, id));
    } else {
      require(user, privilege, "TABLE", object(catalog, id));
      if (privilege.equals("MODIFY")) {
        require(user, "SELECT", "TABLE", object(catalog, id)); // writing is no way to learn rows
      }
    }
  }

  /** Requires a privilege on a schema, and to create something in it also the use of it. */
  static void schema(String privilege, String catalog, String schema) {
    String object = catalog + "." + Names.key(schema);
    if (privilege.startsWith("CREATE ")) {
      require("USE SCHEMA", "SCHEMA", object);
    }
    require(privilege, "SCHEMA", object);
  }

  static void require(String privilege, String type, String object) {
    require(Sessions.user(), privilege, type, object);
  }

  /** Requires the privilege on the object or on what holds it, and USE on what holds it. */
  static void require(String user, String privilege, String type, String object) {
    Denied missing = missing(user, privilege, type, object);
    if (missing != null) {
      throw missing;
    }
  }

  /** Requires that the user may grant on the object; of the system tables admins may. */
  static void requireGranting(String type, String object) {
    boolean isSystemTable = object.startsWith(Lake.SYSTEM + ".") && !isShared(object);
    if (!isSystemTable || !Users.isAdmin(Sessions.user())) {
      require("MANAGE", type, object);
    }
  }

  static boolean allows(String user, String privilege, String type, String object) {
    return missing(user, privilege, type, object) == null;
  }

  /** Returns whether the user may know of the object: by any privilege on it, or by BROWSE. */
  static boolean sees(String user, String type, String object) {
    String catalog = object.split("\\.")[0];
    return Users.isAdmin(user)
        || isShared(object)
        || Grants.has(user, "CATALOG", catalog, "BROWSE")
        || Privileges.on(type).stream().anyMatch(p -> allows(user, p, type, object));
  }

  /** Requires that the user may know of the object; names the plainest privilege that lets one. */
  static void requireKnown(String user, String type, String object) {
    if (!JsonFiles.once(() -> sees(user, type, object))) {
      require(user, PLAINEST.get(type), type, object);
    }
  }

  /** Returns who owns a table, view or function, or null; views and functions act in its name. */
  static String owner(String type, String object) {
    return owner(type, object.split("\\."));
  }

  /** Returns whether everybody reads it: what is no system table of a shared catalog. */
  private static boolean isShared(String object) {
    String[] parts = object.split("\\.");
    boolean isSystemTable =
        parts[0].equals(Lake.SYSTEM)
            && parts.length > 1
            && !parts[1].equals(InformationSchema.NAME);
    return SHARED.contains(parts[0]) && !isSystemTable;
  }

  /** Returns the error of the first privilege that is missing, from the catalog down, or null. */
  private static Denied missing(String user, String privilege, String type, String object) {
    String[] parts = object.split("\\.");
    String catalog = parts[0];
    if (SHARED.contains(catalog)) {
      if (!OPEN.contains(privilege) && !user.equals(Users.ENGINE)) {
        return new Denied(user, privilege, type, object);
      }
      if (isShared(object) || user.equals(Users.ENGINE)) {
        return null;
      }
    }
    if (Users.isAdmin(user)) {
      return null;
    }
    boolean owns = ownsContainer(user, parts);
    if (parts.length > 1
        && !owns
        && !SHARED.contains(catalog)
        && !Grants.has(user, "CATALOG", catalog, "USE CATALOG")) {
      return new Denied(user, "USE CATALOG", "Catalog", catalog);
    }
    String schema = parts.length > 1 ? catalog + "." + parts[1] : null;
    if (parts.length > 2 && !owns
        && !Grants.has(user, "SCHEMA", schema, "USE SCHEMA")
        && !Grants.has(user, "CATALOG", catalog, "USE SCHEMA")) {
      return new Denied(user, "USE SCHEMA", "Schema", schema);
    }
    boolean allowed = Principals.is(user, owner(type, parts))
        || owns && !DATA.contains(privilege)
        || granted(user, privilege, type, object, schema);
    return allowed ? null : new Denied(user, privilege, type, object);
  }

  private static boolean granted(
      String user, String privilege, String type, String object, String schema) {
    String catalog = object.split("\\.")[0];
    return Grants.has(user, type, object, privilege)
        || schema != null && Grants.has(user, "SCHEMA", schema, privilege)
        || !type.equals(Grants.METASTORE) && Grants.has(user, "CATALOG", catalog, privilege);
  }

  private static boolean ownsContainer(String user, String[] parts) {
    Path catalog = Lake.root().resolve(parts[0]);
    if (Principals.is(user, JsonFiles.look(Lake.catalogFile(catalog)).get("owner"))) {
      return true;
    }
    return parts.length > 1 && Principals.is(user, schemaOwner(parts));
  }

  private static String schemaOwner(String[] name) {
    Path schema = Lake.root().resolve(name[0]).resolve(name[1]);
    return JsonFiles.look(Lake.schemaFile(schema)).get("owner");
  }

  private static String owner(String type, String[] name) {
    if (name.length < 3) {
      return null; // whoever owns a container was asked for already
    }
    if (!type.equals("TABLE")) {
      return JsonFiles.look(Lake.entry(Names.key(type) + "s", name)).get("owner");
    }
    String owner = JsonFiles.look(Lake.entry("owners", name)).get("owner");
    if (owner == null) {
      owner = JsonFiles.look(Lake.entry("views", name)).get("owner");
    }
    return owner != null ? owner : schemaOwner(name);
  }

  /** Writes down who made a table, unless it is the owner of its schema. */
  static void own(String catalog, Identifier id) {
    String user = Sessions.user();
    String[] name = object(catalog, id).split("\\.");
    Path schema = Lake.schema(name[0], name[1]);
    if (!user.equals(JsonFiles.read(Lake.schemaFile(schema)).get("owner"))) {
      JsonFiles.write(Lake.entry("owners", name), Map.of("owner", user));
    }
  }
}
