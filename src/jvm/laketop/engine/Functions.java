package laketop.engine;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentHashMap;
import org.apache.spark.sql.AnalysisException;
import org.apache.spark.sql.catalyst.FunctionIdentifier;
import org.apache.spark.sql.catalyst.analysis.AnalysisContext$;
import org.apache.spark.sql.catalyst.analysis.UnresolvedIdentifier;
import org.apache.spark.sql.catalyst.expressions.Expression;
import org.apache.spark.sql.catalyst.expressions.NamedArgumentExpression;
import org.apache.spark.sql.catalyst.parser.ParseException;
import org.apache.spark.sql.catalyst.plans.logical.CreateUserDefinedFunction;
import org.apache.spark.sql.catalyst.plans.logical.LogicalPlan;
import org.apache.spark.sql.classic.Dataset$;
import org.apache.spark.sql.classic.SparkSession;
import org.apache.spark.sql.connector.catalog.CatalogManager;
import org.apache.spark.sql.types.StructField;
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

  /** By the schema and name in the session catalog. */
  private static final Map<String, Known> KNOWN = new ConcurrentHashMap<>();

  private static final String SESSION_CATALOG = "spark_catalog";
  private static final String BETWEEN = ShownNames.BETWEEN;
  private static final ThreadLocal<Boolean> REGISTERING = ThreadLocal.withInitial(() -> false);
  private static final ThreadLocal<Boolean> CREATING = ThreadLocal.withInitial(() -> false);

  /** What a registered function is called, and how many arguments it takes. */
  private record Known(String object, long least, int most) {}

  private Functions() {}

  /** Returns whether this thread reads a function again, whose body is its owner's affair. */
  static boolean registering() {
    return REGISTERING.get();
  }

  /** Returns whether this thread makes a function, of whose body only two parts are understood. */
  static boolean creating() {
    return CREATING.get();
  }

  /** Returns the two parts by which Spark finds a function of ours in the body of another. */
  static List<String> inBody(SparkSession session, List<String> written) {
    String[] name = qualify(session, written);
    List<String> registered = name == null ? null : resolve(session, name);
    if (registered == null && name != null && exists(name)) {
      throw Refusal.of("UNSUPPORTED_FEATURE", "The Python function `" + String.join("`.`", name)
          + "` in the body of a function in SQL is not supported; call it in the query.");
    }
    return registered == null ? written : registered.subList(1, 3);
  }

  /** Returns the whole of a name that {@link #inBody} made, or null for another. */
  static List<String> ofBody(List<String> written) {
    boolean made = creating() && written.size() == 2 && written.get(0).contains(BETWEEN);
    return made ? List.of(SESSION_CATALOG, written.get(0), written.get(1)) : null;
  }

  /** Returns whether it is a schema of Spark's session catalog that functions are registered in. */
  static boolean isOwn(String schema) {
    return schema.contains(BETWEEN);
  }

  /** Returns the full name of the function that is registered under this one, or null. */
  static String object(FunctionIdentifier registered) {
    Known known = registered.database().isDefined()
        ? KNOWN.get(registered.database().get() + "." + registered.funcName())
        : null;
    return known == null ? null : known.object();
  }

  /** Refuses a call with too few or too many arguments by the name that people know. */
  static void requireArity(List<String> registered, List<Expression> arguments) {
    Known known = KNOWN.get(registered.get(1) + "." + registered.get(2));
    int given = arguments.size();
    if (known != null
        && (given < known.least() || given > known.most())
        && arguments.stream().noneMatch(NamedArgumentExpression.class::isInstance)) {
      String wanted = known.least() == known.most() ? "" : known.least() + " to ";
      throw Refusal.of("WRONG_NUM_ARGS.WITHOUT_SUGGESTION", "The `"
          + known.object().replace(".", "`.`") + "` requires " + wanted + known.most()
          + " parameters but the actual number is " + given + ".");
    }
  }

  /** Returns whether Spark knows a function of ours by this schema and name. */
  static boolean isRegistered(String schema, String name) {
    return KNOWN.containsKey(schema + "." + name);
  }

  /** Returns catalog, schema and name as seen from here; null for a function of Spark's own. */
  static String[] qualify(SparkSession session, List<String> written) {
    String[] name = whole(session, written);
    boolean own = name == null || name[0].equals(SESSION_CATALOG) || name[0].equals(Lake.SYSTEM);
    return own ? null : name;
  }

  /** Returns the name of our function that is written as Spark has registered it, or null. */
  static String[] hidden(SparkSession session, List<String> written) {
    String[] name = whole(session, written);
    Known known = name == null || !name[0].equals(SESSION_CATALOG)
        ? null
        : KNOWN.get(name[1] + "." + name[2]);
    return known == null ? null : known.object().split("\\.");
  }

  private static String[] whole(SparkSession session, List<String> written) {
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
    return name.toArray(String[]::new);
  }

  /** Returns whether there is a function of this name, in SQL or in Python. */
  static boolean exists(String[] name) {
    return valid(name) && Files.exists(Lake.entry("functions", name));
  }

  private static boolean valid(String[] name) {
    return Names.valid(name[0]) && Names.valid(name[1]) && Names.valid(name[2]);
  }

  /** Returns the name of the registered function of SQL, or null when there is none. */
  static List<String> resolve(SparkSession session, String[] name) {
    if (!valid(name)) {
      return null;
    }
    Path file = Lake.entry("functions", name);
    long time = file.toFile().lastModified();
    if (time == 0 || JsonFiles.read(file).containsKey(PythonFunction.BODY)) {
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
    boolean outer = REGISTERING.get();
    AnalysisContext$.MODULE$.withNewAnalysisContext(() -> {
      REGISTERING.set(true);
      try {
        register(session, name, entry.get("sql"), entry.get("catalog"), entry.get("namespace"));
      } catch (Exception e) {
        throw Lake.sneak(e);
      } finally {
        REGISTERING.set(outer);
      }
      return null;
    });
    REGISTERED.put(String.join(".", name), time);
  }

  private static List<String> registered(String[] name) {
    return List.of(SESSION_CATALOG, schema(name), name[2]);
  }

  private static String schema(String[] name) {
    return name[0] + BETWEEN + name[1];
  }

  /** Creates the function in the session catalog, its body seen from the given schema. */
  private static void register(
      SparkSession session, String[] name, String sql, String catalog, String namespace)
      throws Exception {
    requireUnlike(name);
    CatalogManager manager = session.sessionState().catalogManager();
    String catalogBefore = manager.currentCatalog().name();
    String[] namespaceBefore = manager.currentNamespace();
    boolean outer = CREATING.get();
    session.sql("CREATE SCHEMA IF NOT EXISTS spark_catalog.`" + schema(name) + "`");
    try {
      manager.setCurrentCatalog(catalog);
      manager.setCurrentNamespace(new String[] {namespace});
      CreateUserDefinedFunction function = renamed(parsed(session, sql), registered(name));
      CREATING.set(true);
      Dataset$.MODULE$.ofRows(session, function);
      KNOWN.put(schema(name) + "." + name[2], known(session, name, function));
    } catch (Exception e) {
      throw e instanceof AnalysisException wrong && e.getMessage().contains(BETWEEN)
          ? Refusal.of(wrong.getCondition(), ShownNames.in(e.getMessage()).replaceFirst("^\\[.*?\\] ", ""))
          : e;
    } finally {
      CREATING.set(outer);
      manager.setCurrentCatalog(catalogBefore);
      manager.setCurrentNamespace(namespaceBefore);
    }
  }

  /** Spark knows {@code a__p.q.f} and {@code a.p__q.f} by one name: only one of them can be. */
  private static void requireUnlike(String[] name) {
    Known other = KNOWN.get(schema(name) + "." + name[2]);
    String object = String.join(".", name);
    if (other != null && !other.object().equals(object) && exists(other.object().split("\\."))) {
      throw Refusal.of("ROUTINE_ALREADY_EXISTS", "The function `" + object.replace(".", "`.`")
          + "` cannot be told from `" + other.object().replace(".", "`.`") + "`: catalog and schema"
          + " of both are the same when written with `__` between them; rename one of them.");
    }
  }

  private static Known known(
      SparkSession session, String[] name, CreateUserDefinedFunction function)
      throws ParseException {
    List<StructField> parameters = function.inputParamText().isEmpty()
        ? List.of()
        : List.of(session.sessionState().sqlParser()
            .parseRoutineParam(function.inputParamText().get()).fields());
    long least = parameters.stream().filter(field -> field.getDefault().isEmpty()).count();
    return new Known(String.join(".", name), least, parameters.size());
  }

  static CreateUserDefinedFunction parsed(SparkSession session, String sql) {
    return (CreateUserDefinedFunction) plainly(session, sql);
  }

  private static CreateUserDefinedFunction renamed(CreateUserDefinedFunction f, List<String> name) {
    var id = new UnresolvedIdentifier(CollectionConverters.asScala(name).toList(), false);
    return SparkApi.named(f, id);
  }

  /** Carries out what the parser made of CREATE, DROP or DESCRIBE FUNCTION. */
  static Rows run(SparkSession session, Map<String, String> request) throws Exception {
    String[] name = request.get("name").split("\\.");
    if (request.get("function").equals("describe")) {
      return describe(session, name, Boolean.parseBoolean(request.get("extended")));
    }
    if (request.get("function").equals("drop")) {
      drop(session, name, Boolean.parseBoolean(request.get("guard")));
    } else {
      create(session, name, request.get("sql"), request.get(PythonFunction.BODY));
    }
    return null;
  }

  private static Rows describe(SparkSession session, String[] name, boolean extended) {
    String object = String.join(".", name);
    String user = Sessions.user(session);
    Access.requireKnown(user, "FUNCTION", object);
    List<Object[]> lines = Routine.read(session, name).described(object, extended);
    return new Rows("function", new String[] {"function_desc"}, lines);
  }

  private static void create(SparkSession session, String[] name, String sql, String python)
      throws Exception {
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
    if (!Files.exists(file)) {
      requireFree(name);
      Grants.forget("FUNCTION", String.join(".", name)); // of one of this name, when a kill left them
    }
    String catalog = session.sessionState().catalogManager().currentCatalog().name();
    String namespace = Names.currentSchema(session);
    Map<String, String> entry = new HashMap<>(Map.of(
        "sql", sql, "catalog", catalog, "namespace", namespace, "owner", Sessions.user(session)));
    if (python.isEmpty()) {
      register(session, name, sql, catalog, namespace);
    } else {
      new PythonFunction(String.join(".", name), function, python).check(session);
      entry.put(PythonFunction.BODY, python);
    }
    JsonFiles.write(file, entry);
    if (python.isEmpty()) {
      REGISTERED.put(String.join(".", name), file.toFile().lastModified());
    }
  }

  /** Refuses a name that a registered model or a prompt has: the rights on one are the other's. */
  private static void requireFree(String[] name) {
    boolean model = Files.isDirectory(Securables.model(name));
    if (model || Files.exists(Lake.entry("prompts", name))) {
      throw Refusal.of("ROUTINE_ALREADY_EXISTS", "The name `" + String.join("`.`", name)
          + "` is that of a " + (model ? "registered model" : "prompt")
          + ": functions, registered models and prompts of a schema share their names.");
    }
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
    Grants.forget("FUNCTION", object);
    unregister(session, name);
  }

  private static void unregister(SparkSession session, String[] name) {
    REGISTERED.remove(String.join(".", name));
    session.sql("CREATE SCHEMA IF NOT EXISTS spark_catalog.`" + schema(name) + "`");
    String registered = "spark_catalog.`" + schema(name) + "`.`" + name[2] + "`";
    Dataset$.MODULE$.ofRows(session, plainly(session, "DROP FUNCTION IF EXISTS " + registered));
  }

  /** Forgets, in Spark's session catalog too, the functions of a schema or catalog that is gone. */
  static void forget(SparkSession session, String container) {
    Set<String> gone = new TreeSet<>();
    REGISTERED.keySet().removeIf(name -> {
      boolean inside = name.startsWith(container + ".");
      if (inside) {
        gone.add(schema(name.split("\\.")));
      }
      return inside;
    });
    REGISTERED.keySet().forEach(name -> gone.remove(schema(name.split("\\."))));
    gone.forEach(name -> session.sharedState().externalCatalog().dropDatabase(name, true, true));
  }

  private static LogicalPlan plainly(SparkSession session, String sql) {
    try {
      return ((LakeParser) session.sessionState().sqlParser()).plain(sql);
    } catch (Exception e) {
      throw Lake.sneak(e);
    }
  }
}
