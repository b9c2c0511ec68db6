package laketop.engine;

import java.util.Iterator;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.apache.hadoop.fs.Path;
import org.apache.spark.sql.catalyst.TableIdentifier;
import org.apache.spark.sql.catalyst.analysis.AnalysisContext$;
import org.apache.spark.sql.catalyst.analysis.ResolvedPersistentView;
import org.apache.spark.sql.catalyst.analysis.ResolvedTable;
import org.apache.spark.sql.catalyst.catalog.CatalogStorageFormat;
import org.apache.spark.sql.catalyst.catalog.CatalogTable;
import org.apache.spark.sql.catalyst.plans.QueryPlan;
import org.apache.spark.sql.catalyst.plans.logical.Command;
import org.apache.spark.sql.catalyst.plans.logical.LogicalPlan;
import org.apache.spark.sql.catalyst.plans.logical.TableSpecBase;
import org.apache.spark.sql.catalyst.plans.logical.V2WriteCommand;
import org.apache.spark.sql.catalyst.plans.logical.View;
import org.apache.spark.sql.catalyst.streaming.StreamingRelationV2;
import org.apache.spark.sql.catalyst.streaming.WriteToStream;
import org.apache.spark.sql.execution.streaming.runtime.StreamingRelation;
import org.apache.spark.sql.execution.streaming.sinks.FileStreamSink;
import org.apache.spark.sql.classic.SparkSession;
import org.apache.spark.sql.connector.catalog.Identifier;
import org.apache.spark.sql.connector.catalog.Table;
import org.apache.spark.sql.delta.DeltaLogFileIndex;
import org.apache.spark.sql.delta.catalog.DeltaTableV2;
import org.apache.spark.sql.delta.commands.cdc.CDCReader;
import org.apache.spark.sql.delta.sources.DeltaSink;
import org.apache.spark.sql.execution.command.ExplainCommand;
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
  private static final Pattern READS = Pattern.compile("(Describe|Show|Cache|Analyze|Refresh).*");
  private static final Pattern WRITES = Pattern.compile(
      "WriteToStream|InsertIntoDir|Delta.*|UpdateTable|DeleteFromTable|MergeIntoTable");
  /** A sink of files tells its path nowhere else. */
  private static final Pattern FILES = Pattern.compile("FileSink\\[(.*)\\]");
  private static final String VIEW_RESOLUTION =
      "org.apache.spark.sql.catalyst.analysis.ViewResolution";

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

  /** A view's body is its owner's affair; a running command reads for itself, as Delta's log. */
  static boolean forAnother(SparkSession session) {
    return AnalysisContext$.MODULE$.get().catalogAndNamespace().nonEmpty()
        || session.sparkContext().getLocalProperty("spark.sql.execution.id") != null
        || inView();
  }

  /** Spark checks a view's body on its own, after its context is gone: only the stack tells. */
  private static boolean inView() {
    return StackWalker.getInstance().walk(frames ->
        frames.anyMatch(frame -> frame.getClassName().startsWith(VIEW_RESOLUTION)));
  }

  private void visit(LogicalPlan plan, String privilege) {
    if (plan instanceof View view && !view.isTempView()) {
      table(SELECT, view.desc());
    } else if (plan instanceof ResolvedPersistentView view) {
      Access.table(user, privilege, view.catalog().name(), view.identifier());
    } else if (plan instanceof V2WriteCommand write) {
      visit((LogicalPlan) write.table(), MODIFY);
      inside(plan, privilege);
    } else if (plan instanceof ExplainCommand explain) {
      explained(explain.logicalPlan());
    } else if (plan instanceof Command || WRITES.matcher(name(plan)).matches()) {
      command(plan);
    } else if (!name(plan).equals("SQLFunctionNode")) {
      leaf(plan, privilege);
      inside(plan, privilege);
    }
  }

  private static String name(LogicalPlan plan) {
    return plan.getClass().getSimpleName();
  }

  private void inside(LogicalPlan plan, String privilege) {
    boolean only = plan.children().size() == 1;
    for (LogicalPlan child : CollectionConverters.asJava(plan.children())) {
      visit(child, only ? privilege : SELECT);
    }
    for (QueryPlan<?> query : CollectionConverters.asJava(plan.subqueries())) {
      visit((LogicalPlan) query, SELECT);
    }
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
    } else if (plan instanceof StreamingRelation relation) {
      stream(privilege, relation.dataSource());
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
    String need = READS.matcher(name(plan)).matches() ? SELECT : MODIFY;
    boolean restores = name(plan).startsWith("Restore");
    Iterator<Object> parts = CollectionConverters.asJava(plan.productIterator());
    while (parts.hasNext()) {
      Object part = parts.next();
      part(need, restores, part instanceof Some<?> some ? some.value() : part);
    }
    if (plan instanceof WriteToStream write && write.catalogTable().isEmpty()) {
      sink(write.sink());
    }
  }

  private void sink(Table sink) {
    Matcher files = FILES.matcher(sink.toString());
    if (sink instanceof DeltaSink delta && delta.catalogTable().isEmpty()) {
      path(MODIFY, delta.path());
    } else if (sink instanceof FileStreamSink && files.matches()) {
      path(MODIFY, new Path(files.group(1)));
    }
  }

  private void part(String need, boolean restores, Object part) {
    if (part instanceof CatalogTable table) {
      table(need, table);
    } else if (part instanceof DeltaTableV2 table) {
      delta(need, table);
    } else if (part instanceof Path path) {
      path(need, path);
    } else if (part instanceof scala.collection.Map<?, ?> options) {
      options(need, options);
    } else if (part instanceof TableSpecBase table && table.location().isDefined()) {
      path(need, new Path(table.location().get()));
    } else if (part instanceof CatalogStorageFormat folder && folder.locationUri().isDefined()) {
      path(need, new Path(folder.locationUri().get()));
    } else if (part instanceof LogicalPlan child) {
      visit(child, restores || child instanceof ResolvedTable ? need : SELECT);
    }
  }

  private void options(String need, scala.collection.Map<?, ?> options) {
    CollectionConverters.asJava(options).forEach((name, value) -> {
      if (name.toString().equalsIgnoreCase("path")) {
        path(need, new Path(value.toString()));
      }
    });
  }

  /** EXPLAIN analyses its statement only when it runs, and then for the engine. */
  private void explained(LogicalPlan statement) {
    LogicalPlan analysed;
    try {
      analysed = AnalysisContext$.MODULE$.withNewAnalysisContext(
          () -> session.sessionState().analyzer().execute(statement));
    } catch (Exception e) {
      return; // EXPLAIN shows the error itself, and nothing else
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
    if (name.startsWith("/") || name.contains(":/")) {
      path(privilege, new Path(name));
    } else if (id.catalog().isDefined() && id.database().isDefined()) {
      String[] schema = {id.database().get()};
      Access.table(user, privilege, id.catalog().get(), Identifier.of(schema, name));
    }
  }

  private void path(String privilege, Path path) {
    PathAccess.require(user, privilege, path);
  }
}
