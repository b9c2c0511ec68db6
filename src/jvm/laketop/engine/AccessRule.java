package laketop.engine;

import java.util.Iterator;
import java.util.function.Predicate;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.apache.hadoop.fs.Path;
import org.apache.spark.sql.catalyst.FunctionIdentifier;
import org.apache.spark.sql.catalyst.TableIdentifier;
import org.apache.spark.sql.catalyst.analysis.AnalysisContext$;
import org.apache.spark.sql.catalyst.analysis.ResolvedNamespace;
import org.apache.spark.sql.catalyst.analysis.ResolvedPersistentView;
import org.apache.spark.sql.catalyst.analysis.ResolvedTable;
import org.apache.spark.sql.catalyst.analysis.SQLFunctionNode;
import org.apache.spark.sql.catalyst.analysis.SQLScalarFunction;
import org.apache.spark.sql.catalyst.catalog.CatalogStorageFormat;
import org.apache.spark.sql.catalyst.catalog.CatalogTable;
import org.apache.spark.sql.catalyst.expressions.Expression;
import org.apache.spark.sql.catalyst.expressions.PlanExpression;
import org.apache.spark.sql.catalyst.plans.logical.Command;
import org.apache.spark.sql.catalyst.plans.logical.DescribeNamespace;
import org.apache.spark.sql.catalyst.plans.logical.LogicalPlan;
import org.apache.spark.sql.catalyst.plans.logical.SetCatalogAndNamespace;
import org.apache.spark.sql.catalyst.plans.logical.TableSpecBase;
import org.apache.spark.sql.catalyst.plans.logical.V2WriteCommand;
import org.apache.spark.sql.catalyst.plans.logical.View;
import org.apache.spark.sql.catalyst.streaming.StreamingRelationV2;
import org.apache.spark.sql.catalyst.streaming.WriteToStream;
import org.apache.spark.sql.classic.SparkSession;
import org.apache.spark.sql.connector.catalog.Identifier;
import org.apache.spark.sql.connector.catalog.Table;
import org.apache.spark.sql.delta.DeltaLogFileIndex;
import org.apache.spark.sql.delta.catalog.DeltaTableV2;
import org.apache.spark.sql.delta.commands.CloneSource;
import org.apache.spark.sql.delta.commands.CloneTableCommand;
import org.apache.spark.sql.delta.commands.CreateDeltaTableCommand;
import org.apache.spark.sql.delta.commands.cdc.CDCReader;
import org.apache.spark.sql.delta.sources.DeltaSink;
import org.apache.spark.sql.execution.command.DescribeQueryCommand;
import org.apache.spark.sql.execution.command.ExplainCommand;
import org.apache.spark.sql.execution.command.SetCatalogCommand;
import org.apache.spark.sql.execution.datasources.DataSource;
import org.apache.spark.sql.execution.datasources.HadoopFsRelation;
import org.apache.spark.sql.execution.datasources.LogicalRelation;
import org.apache.spark.sql.execution.datasources.v2.DataSourceV2Relation;
import scala.Function1;
import scala.Some;
import scala.jdk.javaapi.CollectionConverters;
import scala.runtime.BoxedUnit;

/** Checks every analysed plan of a user's statement, views still in place, against the grants. */
final class AccessRule {
  private static final String SELECT = "SELECT";
  private static final String MODIFY = "MODIFY";
  /** What tells of an object, and nothing that is in it. */
  private static final Pattern METADATA = Pattern.compile(
      "DescribeRelation|DescribeColumn|DescribeTable.*Command|ShowColumns.*|ShowDeltaTable.*|ShowTableProperties.*");
  private static final Pattern READS = Pattern.compile("(Describe|Show|Cache|Analyze|Refresh).*");
  private static final Pattern WRITES = Pattern.compile(
      "WriteToStream|InsertIntoDir|Delta.*|UpdateTable|DeleteFromTable|MergeIntoTable");
  /** A sink of files tells its path nowhere else. */
  private static final Pattern FILES = Pattern.compile("FileSink\\[(.*)\\]");
  private static final String VIEW_RESOLUTION =
      "org.apache.spark.sql.catalyst.analysis.ViewResolution";
  /** The analyzer's rules for the bodies of scalar and of table functions. */
  private static final String FUNCTION_RESOLUTION =
      "org.apache.spark.sql.catalyst.analysis.Analyzer$ResolveSQL";
  private static final String SUBQUERY = "checkSubqueryExpression";

  private final SparkSession session;
  private final String user;

  private AccessRule(SparkSession session, String user) {
    this.session = session;
    this.user = user;
  }

  static Function1<LogicalPlan, BoxedUnit> of(SparkSession session) {
    return plan -> {
      String user = Sessions.user(session);
      if ((writes(plan) || !Users.isAdmin(user)) && !forAnother(session)) {
        new AccessRule(session, user).visit(plan, SELECT);
      }
      return BoxedUnit.UNIT;
    };
  }

  /** Admins may do everything but write to samples, so that only their writes are looked at. */
  private static boolean writes(LogicalPlan plan) {
    return plan instanceof Command && !(plan instanceof ExplainCommand)
        || WRITES.matcher(name(plan)).matches();
  }

  /**
   * The body of a view or function is its owner's affair; a running command reads for itself, as
   * Delta's log.
   */
  static boolean forAnother(SparkSession session) {
    return forView(session)
        || within(frame -> frame.getClassName().startsWith(FUNCTION_RESOLUTION));
  }

  /**
   * Returns whether it is for a view or a command. Functions that the body of a function calls are
   * asked of who calls it: nobody may lend, by a function of his own, what he may not call.
   */
  static boolean forView(SparkSession session) {
    return AnalysisContext$.MODULE$.get().catalogAndNamespace().nonEmpty()
        || session.sparkContext().getLocalProperty("spark.sql.execution.id") != null
        || Functions.registering()
        || within(frame -> frame.getClassName().startsWith(VIEW_RESOLUTION)
            || frame.getMethodName().equals(SUBQUERY));
  }

  /**
   * Spark checks a view's body on its own, after its context is gone, analyses a subquery of a
   * function's body outside of its context, and checks a subquery before the query that it is in,
   * which tells whose it is: only the stack tells any of them.
   */
  private static boolean within(Predicate<StackWalker.StackFrame> place) {
    return StackWalker.getInstance().walk(frames -> frames.anyMatch(place));
  }

  private void visit(LogicalPlan plan, String privilege) {
    if (plan instanceof View view && !view.isTempView()) {
      table(SELECT, view.desc());
      by(owner(view.desc().identifier()), view.child());
    } else if (plan instanceof SQLFunctionNode call) {
      by(owner(call.function().name()), call.child());
    } else if (plan instanceof ResolvedPersistentView view) {
      Access.table(user, privilege, view.catalog().name(), view.identifier());
    } else if (plan instanceof V2WriteCommand write) {
      visit((LogicalPlan) write.table(), MODIFY);
      inside(plan, privilege);
    } else if (plan instanceof ExplainCommand explain) {
      explained(explain.logicalPlan());
    } else if (plan instanceof Command || WRITES.matcher(name(plan)).matches()) {
      command(plan);
    } else {
      leaf(plan, privilege);
      inside(plan, privilege);
    }
  }

  /** Looks at what a view or function reads, which it does with the rights of its owner. */
  private void by(String owner, LogicalPlan body) {
    new AccessRule(session, owner == null ? user : owner).visit(body, SELECT);
  }

  private static String owner(TableIdentifier view) {
    return view.catalog().isDefined() && view.database().isDefined()
        ? Access.owner("TABLE", String.join(".", view.catalog().get(), view.database().get(),
            view.table()))
        : null;
  }

  private static String owner(FunctionIdentifier function) {
    String object = Functions.object(function);
    return object == null ? null : Access.owner("FUNCTION", object);
  }

  private static String name(LogicalPlan plan) {
    return plan.getClass().getSimpleName();
  }

  private void inside(LogicalPlan plan, String privilege) {
    boolean only = plan.children().size() == 1;
    for (LogicalPlan child : CollectionConverters.asJava(plan.children())) {
      visit(child, only ? privilege : SELECT);
    }
    queries(plan);
  }

  private void queries(LogicalPlan plan) {
    if (!plan.subqueries().isEmpty()) {
      CollectionConverters.asJava(plan.expressions()).forEach(this::queries);
    }
  }

  /** Looks at the queries in an expression; those in the body of a function are its owner's. */
  private void queries(Expression expression) {
    if (expression instanceof SQLScalarFunction call) {
      CollectionConverters.asJava(call.inputs()).forEach(this::queries);
      String owner = owner(call.function().name());
      new AccessRule(session, owner == null ? user : owner).queries(call.child());
      return;
    }
    if (expression instanceof PlanExpression<?> query) {
      visit((LogicalPlan) query.plan(), SELECT);
    }
    CollectionConverters.asJava(expression.children()).forEach(this::queries);
  }

  private void leaf(LogicalPlan plan, String privilege) {
    if (plan instanceof ResolvedTable table && table.catalog() instanceof LakeCatalog catalog) {
      Access.table(user, privilege, catalog.name(), table.identifier());
      if (table.table() instanceof DeltaTableV2 delta) {
        delta(privilege, delta); // which a path names, as in ALTER TABLE delta.`/...`
      }
    } else if (plan instanceof DataSourceV2Relation relation) {
      named(privilege, relation.catalog(), relation.identifier());
      if (relation.table() instanceof DeltaTableV2 delta) {
        delta(privilege, delta);
      }
    } else if (SparkApi.streamed(plan) != null) {
      stream(privilege, SparkApi.streamed(plan));
    } else if (plan instanceof StreamingRelationV2 relation) {
      named(privilege, relation.catalog(), relation.identifier());
    } else if (plan instanceof LogicalRelation relation) {
      relation(privilege, relation);
    }
  }

  private void named(String privilege, scala.Option<?> catalog, scala.Option<Identifier> id) {
    if (catalog.isDefined() && catalog.get() instanceof LakeCatalog lake && id.isDefined()) {
      Access.table(user, privilege, lake.name(), id.get());
    }
  }

  private void stream(String privilege, DataSource source) {
    if (source.catalogTable().isDefined()) {
      table(privilege, source.catalogTable().get());
    } else {
      options(privilege, source.options());
    }
  }

  private void relation(String privilege, LogicalRelation relation) {
    if (relation.catalogTable().isDefined()) {
      table(privilege, relation.catalogTable().get());
    } else if (relation.relation() instanceof HadoopFsRelation files
        && !(files.location() instanceof DeltaLogFileIndex)) { // which Delta alone makes
      for (Path path : CollectionConverters.asJava(files.location().rootPaths())) {
        path(privilege, path);
      }
    } else if (relation.relation() instanceof CDCReader.DeltaCDFRelation changes) {
      path(privilege, changes.snapshotWithSchemaMode().snapshot().deltaLog().dataPath());
    }
  }

  /** Delta has put its own leaf commands in the place of UPDATE, DELETE and MERGE by now. */
  private void command(LogicalPlan plan) {
    if (plan instanceof CreateDeltaTableCommand create
        && create.query().isDefined()
        && create.query().get() instanceof CloneTableCommand clone) {
      cloned(create, clone);
      return;
    }
    if (plan instanceof DescribeQueryCommand describe) {
      explained(describe.plan());
      return;
    }
    if (plan instanceof SetCatalogAndNamespace use) {
      used((ResolvedNamespace) use.child());
      return;
    }
    if (plan instanceof DescribeNamespace describe
        && describe.namespace() instanceof ResolvedNamespace namespace) {
      known(namespace);
      return;
    }
    if (plan instanceof SetCatalogCommand use) {
      String catalog = SparkApi.catalog(use);
      if (catalog != null) {
        used(catalog.replaceAll("^`|`$", ""));
      }
      return;
    }
    String need = need(name(plan));
    boolean restores = name(plan).startsWith("Restore");
    Iterator<Object> parts = CollectionConverters.asJava(plan.productIterator());
    while (parts.hasNext()) {
      Object part = parts.next();
      part(need, restores, part instanceof Some<?> some ? some.value() : part);
    }
    if (plan instanceof WriteToStream write && write.catalogTable().isEmpty()) {
      sink(write.sink());
    }
    queries(plan);
  }

  private static String need(String command) {
    if (METADATA.matcher(command).matches()) {
      return Access.KNOWING;
    }
    return READS.matcher(command).matches() ? SELECT : MODIFY;
  }

  /** Of a catalog that there is not Spark tells only which setting would make one. */
  private void used(String catalog) {
    if (!session.sessionState().catalogManager().isCatalogRegistered(catalog)) {
      throw NameErrors.noCatalog(catalog);
    }
    Access.require(user, "USE CATALOG", "CATALOG", Names.key(catalog));
  }

  /** USE needs the privilege of this name; Spark itself only looks whether there is a schema. */
  private void used(ResolvedNamespace namespace) {
    if (namespace.namespace().size() > 1) {
      throw NameErrors.noCatalog(namespace.namespace().head());
    }
    String object = object(namespace);
    if (object != null && object.contains(".")) {
      Access.require(user, "USE SCHEMA", "SCHEMA", object);
    } else if (object != null) {
      Access.require(user, "USE CATALOG", "CATALOG", object);
    }
  }

  private void known(ResolvedNamespace namespace) {
    String object = object(namespace);
    if (object != null) {
      Access.requireKnown(user, object.contains(".") ? "SCHEMA" : "CATALOG", object);
    }
  }

  /** Returns the catalog, or catalog and schema; null where everybody may look. */
  private static String object(ResolvedNamespace namespace) {
    if (!(namespace.catalog() instanceof LakeCatalog catalog)) {
      return null;
    }
    if (namespace.namespace().isEmpty()) {
      return catalog.name();
    }
    String schema = Names.key(namespace.namespace().head());
    return schema.equals(InformationSchema.NAME) ? null : catalog.name() + "." + schema;
  }

  /** Delta has made a new table of the catalog by now, and names it by the path that it has. */
  private void cloned(CreateDeltaTableCommand create, CloneTableCommand clone) {
    String[] made = Clones.table(clone.targetPath());
    if (create.table().identifier().catalog().isDefined()) {
      table(MODIFY, create.table());
    } else if (made != null) {
      Access.table(user, MODIFY, made[0], Identifier.of(new String[] {made[1]}, made[2]));
    } else {
      path(MODIFY, clone.targetPath());
    }
    CloneSource source = clone.sourceTable();
    if (source.catalogTable().isDefined()) {
      table(SELECT, source.catalogTable().get());
    } else {
      path(SELECT, source.dataPath());
    }
  }

  private void sink(Table sink) {
    Matcher files = FILES.matcher(sink.toString());
    if (sink instanceof DeltaSink delta && delta.catalogTable().isEmpty()) {
      path(MODIFY, delta.path());
    } else if (SparkApi.writesFiles(sink) && files.matches()) {
      path(MODIFY, new Path(files.group(1)));
    }
  }

  private void part(String need, boolean restores, Object part) {
    if (part instanceof CatalogTable table) {
      table(need, table);
    } else if (part instanceof DeltaTableV2 table) {
      delta(need, table);
    } else if (part instanceof TableIdentifier id && isPath(id.table())) {
      path(need, new Path(id.table())); // as in CONVERT TO DELTA parquet.`/...`
    } else if (part instanceof Path path) {
      path(need, path);
    } else if (part instanceof scala.collection.Map<?, ?> options) {
      options(need, options);
    } else if (part instanceof TableSpecBase table && table.location().isDefined()) {
      path(need, new Path(table.location().get()));
    } else if (part instanceof CatalogStorageFormat folder && folder.locationUri().isDefined()) {
      path(need, new Path(folder.locationUri().get()));
    } else if (part instanceof LogicalPlan child) {
      boolean same = restores || child instanceof ResolvedTable || need.equals(Access.KNOWING);
      visit(child, same ? need : SELECT);
    }
  }

  private void options(String need, scala.collection.Map<?, ?> options) {
    CollectionConverters.asJava(options).forEach((name, value) -> {
      if (name.toString().equalsIgnoreCase("path")) {
        path(need, new Path(value.toString()));
      }
    });
  }

  /** EXPLAIN and DESCRIBE QUERY analyse their statement when they run, and then for the engine. */
  private void explained(LogicalPlan statement) {
    LogicalPlan analysed;
    try {
      analysed = AnalysisContext$.MODULE$.withNewAnalysisContext(
          () -> session.sessionState().analyzer().execute(statement));
    } catch (Denied denied) {
      throw denied;
    } catch (Exception e) {
      return; // which is told when it runs, and nothing else
    }
    visit(analysed, SELECT);
  }

  private void delta(String privilege, DeltaTableV2 table) {
    if (table.catalogTable().isDefined()) {
      table(privilege, table.catalogTable().get());
    } else {
      path(privilege, table.path());
    }
  }

  private void table(String privilege, CatalogTable table) {
    TableIdentifier id = table.identifier();
    String name = id.table();
    if (isPath(name)) {
      path(privilege, new Path(name));
    } else if (id.catalog().isDefined() && id.database().isDefined()) {
      String[] schema = {id.database().get()};
      Access.table(user, privilege, id.catalog().get(), Identifier.of(schema, name));
    }
  }

  static boolean isPath(String name) {
    return name.startsWith("/") || name.contains(":/");
  }

  private void path(String privilege, Path path) {
    PathAccess.require(user, privilege.equals(Access.KNOWING) ? SELECT : privilege, path);
  }
}
