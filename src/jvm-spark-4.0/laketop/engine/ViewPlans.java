package laketop.engine;

import java.nio.file.Files;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import org.apache.spark.sql.catalyst.QueryPlanningTracker;
import org.apache.spark.sql.catalyst.TableIdentifier;
import org.apache.spark.sql.catalyst.analysis.NoSuchViewException;
import org.apache.spark.sql.catalyst.analysis.PersistedView$;
import org.apache.spark.sql.catalyst.analysis.ResolvedIdentifier;
import org.apache.spark.sql.catalyst.analysis.UnresolvedIdentifier;
import org.apache.spark.sql.catalyst.analysis.UnresolvedNamespace;
import org.apache.spark.sql.catalyst.analysis.UnresolvedTableOrView;
import org.apache.spark.sql.catalyst.analysis.UnresolvedView;
import org.apache.spark.sql.catalyst.plans.logical.AlterViewAs;
import org.apache.spark.sql.catalyst.plans.logical.AlterViewSchemaBinding;
import org.apache.spark.sql.catalyst.plans.logical.CreateView;
import org.apache.spark.sql.catalyst.plans.logical.DescribeRelation;
import org.apache.spark.sql.catalyst.plans.logical.DropTable;
import org.apache.spark.sql.catalyst.plans.logical.DropView;
import org.apache.spark.sql.catalyst.plans.logical.LogicalPlan;
import org.apache.spark.sql.catalyst.plans.logical.RenameTable;
import org.apache.spark.sql.catalyst.plans.logical.SetViewProperties;
import org.apache.spark.sql.catalyst.plans.logical.ShowTableProperties;
import org.apache.spark.sql.catalyst.plans.logical.ShowViews;
import org.apache.spark.sql.catalyst.plans.logical.UnsetViewProperties;
import org.apache.spark.sql.classic.SparkSession;
import org.apache.spark.sql.connector.catalog.Identifier;
import org.apache.spark.sql.execution.command.CreateViewCommand;
import org.apache.spark.sql.execution.command.ViewHelper$;
import scala.Option;
import scala.collection.immutable.Seq;
import scala.jdk.javaapi.CollectionConverters;

/** Statements about views, which this version of Spark knows in its session catalog only. */
final class ViewPlans {
  private static final String EXECUTION = "spark.sql.execution.id";

  private final SparkSession session;
  private final String[] name;
  private final Identifier id;
  private final LakeCatalog catalog;

  /** The analysed command that defines the view anew, if this statement does. */
  private CreateViewCommand defining;

  private ViewPlans(SparkSession session, String[] name) {
    this.session = session;
    this.name = name;
    id = Identifier.of(new String[] {name[1]}, name[2]);
    catalog = TableStatements.catalog(session, name);
  }

  /** Returns whether it is a statement about a view of ours. */
  static boolean are(SparkSession session, LogicalPlan plan) {
    if (plan instanceof ShowViews show) {
      return ours(session, namespace(show));
    }
    String[] name = name(session, plan);
    return name != null && !temporary(session, plan)
        && (!tells(plan) || isView(name));
  }

  private static boolean tells(LogicalPlan plan) {
    return plan instanceof DescribeRelation describe && describe.partitionSpec().isEmpty()
        || plan instanceof ShowTableProperties || plan instanceof DropTable;
  }

  private static boolean isView(String[] name) {
    return Names.valid(name[0]) && Names.valid(name[1]) && Names.valid(name[2])
        && Files.exists(Lake.entry("views", name));
  }

  /** Returns what the statement names, which is nothing where it means the current schema. */
  private static List<String> namespace(ShowViews show) {
    return show.namespace() instanceof UnresolvedNamespace in
        ? CollectionConverters.asJava(in.multipartIdentifier())
        : List.of();
  }

  private static boolean ours(SparkSession session, List<String> namespace) {
    String catalog = namespace.size() < 2
        ? session.sessionState().catalogManager().currentCatalog().name()
        : namespace.get(0);
    return !catalog.equals("spark_catalog");
  }

  /** Returns the view's catalog, schema and name; null for another statement or Spark's catalog. */
  private static String[] name(SparkSession session, LogicalPlan plan) {
    Seq<String> written = written(plan);
    return written == null
        ? null
        : Functions.qualify(session, CollectionConverters.asJava(written));
  }

  private static Seq<String> written(LogicalPlan plan) {
    boolean view = plan instanceof CreateView || plan instanceof AlterViewAs
        || plan instanceof DropView || plan instanceof SetViewProperties
        || plan instanceof UnsetViewProperties || plan instanceof AlterViewSchemaBinding
        || plan instanceof RenameTable rename && rename.isView()
        || tells(plan);
    if (!view) {
      return null;
    }
    LogicalPlan child = plan.children().head();
    return child instanceof UnresolvedIdentifier id ? id.nameParts()
        : child instanceof UnresolvedView named ? named.multipartIdentifier()
        : child instanceof UnresolvedTableOrView named ? named.multipartIdentifier()
        : null;
  }

  private static boolean temporary(SparkSession session, LogicalPlan plan) {
    return !(plan instanceof CreateView)
        && session.sessionState().catalog().isTempView(written(plan));
  }

  /** Carries the statement out. */
  static Rows run(SparkSession session, LogicalPlan plan) throws Exception {
    if (plan instanceof ShowViews show) {
      return shown(session, show);
    }
    ViewPlans view = new ViewPlans(session, name(session, plan));
    if (tells(plan)) {
      return view.told(plan);
    }
    view.change(plan);
    view.tellLineage();
    return null;
  }

  private Rows told(LogicalPlan plan) throws NoSuchViewException {
    Access.table(Access.KNOWING, name[0], id);
    LakeView view = catalog.view(id);
    if (plan instanceof DropTable) {
      throw Refusal.of("WRONG_COMMAND_FOR_OBJECT_TYPE",
          "`" + String.join("`.`", name) + "` is a view: use DROP VIEW instead.");
    }
    return plan instanceof ShowTableProperties show
        ? DescribedView.properties(view, show.propertyKey())
        : DescribedView.rows(name, view, ((DescribeRelation) plan).isExtended());
  }

  private void change(LogicalPlan plan) throws Exception {
    if (plan instanceof CreateView create) {
      create(create);
    } else if (plan instanceof DropView drop) {
      drop(drop.ifExists());
    } else if (plan instanceof AlterViewAs alter) {
      LakeView old = catalog.view(id);
      LakeView view = defined(new CreateViewCommand(identifier(), none(), Option.empty(),
          Option.empty(), scala.collection.immutable.Map.from(
              CollectionConverters.asScala(old.properties())),
          Option.apply(alter.originalText()), alter.query(), false, true, PersistedView$.MODULE$,
          SparkApi.mode(old.mode()), false, none()));
      catalog.changeView(id, view);
    } else if (plan instanceof SetViewProperties set) {
      Map<String, String> properties = new HashMap<>(catalog.view(id).properties());
      properties.putAll(CollectionConverters.asJava(set.properties()));
      catalog.changeView(id, catalog.view(id).with(properties));
    } else if (plan instanceof UnsetViewProperties unset) {
      Map<String, String> properties = new HashMap<>(catalog.view(id).properties());
      properties.keySet().removeAll(CollectionConverters.asJava(unset.propertyKeys()));
      catalog.changeView(id, catalog.view(id).with(properties));
    } else if (plan instanceof AlterViewSchemaBinding bind) {
      catalog.changeView(id, catalog.view(id).with(bind.viewSchemaMode().toString()));
    } else {
      rename(CollectionConverters.asJava(((RenameTable) plan).newName()));
    }
  }

  private TableIdentifier identifier() {
    return new TableIdentifier(name[2], Option.apply(name[1]), Option.apply(name[0]));
  }

  private void create(CreateView create) throws Exception {
    Names.checked(name[2]);
    if (create.allowExisting() && catalog.viewExists(id)) {
      return;
    }
    LakeView view = defined(new CreateViewCommand(identifier(), create.userSpecifiedColumns(),
        create.comment(), create.collation(), create.properties(), create.originalText(),
        create.query(), create.allowExisting(), create.replace(), PersistedView$.MODULE$,
        create.viewSchemaMode(), false, none()));
    if (create.replace() && catalog.viewExists(id)) {
      catalog.changeView(id, view);
    } else {
      catalog.makeView(id, view);
    }
  }

  /** Returns the view that the command defines, once its query is one that a view may have. */
  private LakeView defined(CreateViewCommand command) {
    CreateViewCommand known = analysed(command);
    LogicalPlan query = known.plan();
    ViewHelper$ spark = ViewHelper$.MODULE$;
    spark.verifyTemporaryObjectsNotExists(
        false, known.name(), query, known.referredTempFunctions());
    spark.verifyAutoGeneratedAliasesNotExists(query, false, known.name());
    if (catalog.viewExists(id)) {
      spark.checkCyclicViewReference(query, listed(List.of(known.name())), known.name());
    }
    defining = known;
    return SparkApi.view(session, known, query.schema());
  }

  private void tellLineage() {
    if (defining != null) {
      LineageListener.tell(session, new CreateView(new ResolvedIdentifier(catalog, id),
          defining.userSpecifiedColumns(), Option.empty(), Option.empty(), defining.properties(),
          Option.empty(), defining.plan(), false, true, defining.viewSchemaMode()));
    }
  }

  /** The query's rights are those of who makes the view, not of the running statement. */
  private CreateViewCommand analysed(CreateViewCommand command) {
    String running = session.sparkContext().getLocalProperty(EXECUTION);
    session.sparkContext().setLocalProperty(EXECUTION, null);
    try {
      return (CreateViewCommand) session.sessionState().analyzer()
          .executeAndCheck(command, new QueryPlanningTracker(Option.empty()));
    } finally {
      session.sparkContext().setLocalProperty(EXECUTION, running);
    }
  }

  private void drop(boolean ifExists) throws Exception {
    if (catalog.dropView(id)) {
      return;
    }
    if (catalog.tableExists(id)) {
      throw Refusal.of("WRONG_COMMAND_FOR_OBJECT_TYPE",
          "`" + String.join("`.`", name) + "` is a table: use DROP TABLE instead.");
    }
    if (!ifExists) {
      throw NameErrors.noView(catalog.name(), id);
    }
  }

  private void rename(List<String> to) throws Exception {
    List<String> full = new ArrayList<>(to);
    String target = full.remove(full.size() - 1);
    if (full.isEmpty()) {
      full.add(name[1]);
    }
    catalog.renameView(id, Identifier.of(full.toArray(String[]::new), target));
  }

  private static Rows shown(SparkSession session, ShowViews show) throws Exception {
    List<String> in = new ArrayList<>(namespace(show));
    if (in.isEmpty()) {
      in.add(Names.currentSchema(session));
    }
    if (in.size() == 1) {
      in.add(0, session.sessionState().catalogManager().currentCatalog().name());
    }
    String[] schema = in.stream().map(Names::key).toArray(String[]::new);
    Pattern like = Names.like(show.pattern().isEmpty() ? null : show.pattern().get());
    List<Object[]> rows = new ArrayList<>();
    Arrays.stream(TableStatements.catalog(session, schema).listViews(new String[] {schema[1]}))
        .map(Identifier::name)
        .filter(view -> like.matcher(view).matches())
        .forEach(view -> rows.add(new Object[] {schema[1], view, false}));
    CollectionConverters.asJava(session.sessionState().catalog().listLocalTempViews("*")).stream()
        .map(TableIdentifier::table)
        .filter(view -> like.matcher(view).matches())
        .forEach(view -> rows.add(new Object[] {"", view, true}));
    return new Rows("views", new String[] {"namespace", "viewName", "isTemporary:B"}, rows);
  }

  private static <T> Seq<T> listed(List<T> list) {
    return CollectionConverters.asScala(list).toList();
  }

  private static <T> Seq<T> none() {
    return listed(List.of());
  }
}
