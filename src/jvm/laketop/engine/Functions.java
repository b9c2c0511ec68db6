package laketop.engine;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.apache.spark.sql.catalyst.analysis.AnalysisContext$;
import org.apache.spark.sql.catalyst.analysis.UnresolvedIdentifier;
import org.apache.spark.sql.catalyst.plans.logical.CreateUserDefinedFunction;
import org.apache.spark.sql.catalyst.plans.logical.LogicalPlan;
import org.apache.spark.sql.classic.Dataset$;
import org.apache.spark.sql.classic.SparkSession;
import org.apache.spark.sql.connector.catalog.CatalogManager;
import scala.jdk.javaapi.CollectionConverters;

/**
 * SQL functions: text in a file, and while the engine lives a function of Spark's session catalog.
 *
 * <p>{@code main.sales.f} is {@code spark_catalog.main__sales.f} there: Spark knows SQL functions
 * nowhere else.
 */
final class Functions {
  /** The time of the file, in ms, from which a function was registered. */
  private static final Map<String, Long> REGISTERED = new ConcurrentHashMap<>();

  private Functions() {}

  /** Returns catalog, schema and name as seen from here; null for a function of Spark's own. */
  static String[] qualify(SparkSession session, List<String> written) {
    if (written.isEmpty() || written.size() > 3) {
      return null;
    }
    List<String> name = new ArrayList<>();
    written.forEach(part -> name.add(Names.key(part)));
    List<String> view =
        CollectionConverters.asJava(AnalysisContext$.MODULE$.get().catalogAndNamespace());
    if (name.size() == 1) {
      name.add(0, view.size() == 2 ? view.get(1) : Names.currentSchema(session));
    }
    if (name.size() == 2) {
      CatalogManager manager = session.sessionState().catalogManager();
      name.add(0, view.isEmpty() ? manager.currentCatalog().name() : view.get(0));
    }
    boolean own = name.get(0).equals("spark_catalog") || name.get(0).equals("system");
    return own ? null : name.toArray(String[]::new);
  }

  /** Returns the name of the registered function, or null when there is no such file. */
  static List<String> resolve(SparkSession session, String[] name) {
    if (!Names.valid(name[0]) || !Names.valid(name[1]) || !Names.valid(name[2])) {
      return null;
    }
    Path file = Lake.entry("functions", name);
    long time = file.toFile().lastModified();
    if (time == 0) {
      return null;
    }
    if (!Long.valueOf(time).equals(REGISTERED.get(String.join(".", name)))) {
      registerAgain(session, name, file, time);
    }
    return registered(name);
  }

  private static synchronized void registerAgain(
      SparkSession session, String[] name, Path file, long time) {
    Map<String, String> entry = JsonFiles.read(file);
    // This is reached in the middle of an analysis, perhaps of a view.
    AnalysisContext$.MODULE$.withNewAnalysisContext(() -> {
      try {
        register(session, name, entry.get("sql"), entry.get("catalog"), entry.get("namespace"));
      } catch (Exception e) {
        throw Lake.sneak(e);
      }
      return null;
    });
    REGISTERED.put(String.join(".", name), time);
  }

  private static List<String> registered(String[] name) {
    return List.of("spark_catalog", schema(name), name[2]);
  }

  private static String schema(String[] name) {
    return name[0] + "__" + name[1];
  }

  /** Creates the function in the session catalog, its body seen from the given schema. */
  private static void register(
      SparkSession session, String[] name, String sql, String catalog, String namespace)
      throws Exception {
    CatalogManager manager = session.sessionState().catalogManager();
    String catalogBefore = manager.currentCatalog().name();
    String[] namespaceBefore = manager.currentNamespace();
    try {
      session.sql("CREATE SCHEMA IF NOT EXISTS spark_catalog.`" + schema(name) + "`");
      manager.setCurrentCatalog(catalog);
      manager.setCurrentNamespace(new String[] {namespace});
      Dataset$.MODULE$.ofRows(session, renamed(parsed(session, sql), registered(name)));
    } finally {
      manager.setCurrentCatalog(catalogBefore);
      manager.setCurrentNamespace(namespaceBefore);
    }
  }

  private static CreateUserDefinedFunction parsed(SparkSession session, String sql)
      throws Exception {
    LakeParser parser = (LakeParser) session.sessionState().sqlParser();
    return (CreateUserDefinedFunction) parser.plain(sql);
  }

  private static LogicalPlan renamed(CreateUserDefinedFunction f, List<String> name) {
    var id = new UnresolvedIdentifier(CollectionConverters.asScala(name).toList(), false);
    return f.copy(id, f.inputParamText(), f.returnTypeText(), f.exprText(), f.queryText(),
        f.comment(), f.collation(), f.isDeterministic(), f.containsSQL(), f.language(),
        f.isTableFunc(), false, true);
  }

  /** Carries out what the parser made of CREATE FUNCTION or DROP FUNCTION. */
  static Rows run(SparkSession session, Map<String, String> request) throws Exception {
    String[] name = request.get("name").split("\\.");
    if (request.get("function").equals("drop")) {
      drop(session, name, Boolean.parseBoolean(request.get("guard")));
    } else {
      create(session, name, request.get("sql"));
    }
    return null;
  }

  private static void create(SparkSession session, String[] name, String sql) throws Exception {
    if (!Files.isDirectory(Lake.schema(name[0], name[1]))) {
      throw Refusal.missing("SCHEMA_NOT_FOUND", "schema", name[0], name[1]);
    }
    CreateUserDefinedFunction function = parsed(session, sql);
    Path file = Lake.entry("functions", name);
    if (Files.exists(file) && !function.replace()) {
      if (function.ignoreIfExists()) {
        return;
      }
      throw Refusal.taken("ROUTINE_ALREADY_EXISTS", "routine", name);
    }
    requirePrivilege(name, Files.exists(file));
    String catalog = session.sessionState().catalogManager().currentCatalog().name();
    String namespace = Names.currentSchema(session);
    register(session, name, sql, catalog, namespace);
    JsonFiles.write(file, Map.of(
        "sql", sql, "catalog", catalog, "namespace", namespace, "owner", Sessions.user(session)));
    REGISTERED.put(String.join(".", name), file.toFile().lastModified());
  }

  private static void requirePrivilege(String[] name, boolean replaces) {
    if (replaces) {
      Access.require("MANAGE", "FUNCTION", String.join(".", name));
    } else {
      Access.schema("CREATE FUNCTION", name[0], name[1]);
    }
  }

  private static void drop(SparkSession session, String[] name, boolean guard) {
    Path file = Lake.entry("functions", name);
    if (!Files.exists(file)) {
      if (guard) {
        return;
      }
      throw Refusal.missing("ROUTINE_NOT_FOUND", "routine", name);
    }
    String object = String.join(".", name);
    Access.require("MANAGE", "FUNCTION", object);
    JsonFiles.delete(file);
    REGISTERED.remove(object);
    Grants.forget(object);
    session.sql("CREATE SCHEMA IF NOT EXISTS spark_catalog.`" + schema(name) + "`");
    String registered = "spark_catalog.`" + schema(name) + "`.`" + name[2] + "`";
    Dataset$.MODULE$.ofRows(session, plainly(session, "DROP FUNCTION IF EXISTS " + registered));
  }

  private static LogicalPlan plainly(SparkSession session, String sql) {
    try {
      return ((LakeParser) session.sessionState().sqlParser()).plain(sql);
    } catch (Exception e) {
      throw Lake.sneak(e);
    }
  }
}
