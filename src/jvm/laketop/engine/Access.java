package laketop.engine;

import java.nio.file.Path;
import java.util.Map;
import org.apache.spark.sql.connector.catalog.Identifier;

/** Whether a user may do something: as an admin, as an owner, or by a grant. */
final class Access {
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
    if (!schema.equals("delta") && !InformationSchema.holds(id)) {
      require(user, privilege, "TABLE", object(catalog, id));
    }
  }

  static void schema(String privilege, String catalog, String schema) {
    require(privilege, "SCHEMA", catalog + "." + Names.key(schema));
  }

  static void require(String privilege, String type, String object) {
    require(Sessions.user(), privilege, type, object);
  }

  /** Requires the privilege on the object or on what holds it, and USE on what holds it. */
  static void require(String user, String privilege, String type, String object) {
    if (Users.isAdmin(user)) {
      return;
    }
    String[] parts = object.split("\\.");
    String catalog = parts[0];
    String schema = parts.length > 1 ? catalog + "." + parts[1] : null;
    if (ownsContainer(user, parts)) {
      return;
    }
    if (parts.length > 1 && !Grants.has(user, "CATALOG", catalog, "USE CATALOG")) {
      throw new Denied(user, "USE CATALOG", "Catalog", catalog);
    }
    if (parts.length > 2
        && !Grants.has(user, "SCHEMA", schema, "USE SCHEMA")
        && !Grants.has(user, "CATALOG", catalog, "USE SCHEMA")) {
      throw new Denied(user, "USE SCHEMA", "Schema", schema);
    }
    boolean granted = Grants.has(user, type, object, privilege)
        || schema != null && Grants.has(user, "SCHEMA", schema, privilege)
        || !type.equals(Grants.METASTORE) && Grants.has(user, "CATALOG", catalog, privilege);
    if (!granted && !(parts.length == 3 && user.equals(owner(type, parts)))) {
      throw new Denied(user, privilege, type, object);
    }
  }

  private static boolean ownsContainer(String user, String[] parts) {
    Path catalog = Lake.root().resolve(parts[0]);
    if (user.equals(JsonFiles.read(Lake.catalogFile(catalog)).get("owner"))) {
      return true;
    }
    Path schema = parts.length > 1 ? catalog.resolve(parts[1]) : null;
    return schema != null && user.equals(JsonFiles.read(Lake.schemaFile(schema)).get("owner"));
  }

  private static String owner(String type, String[] name) {
    if (!type.equals("TABLE")) {
      return JsonFiles.read(Lake.entry(Names.key(type) + "s", name)).get("owner");
    }
    String owner = JsonFiles.read(Lake.entry("owners", name)).get("owner");
    return owner != null ? owner : JsonFiles.read(Lake.entry("views", name)).get("owner");
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
