package laketop.engine;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.spark.sql.SparkSessionExtensions;
import org.apache.spark.sql.catalyst.FunctionIdentifier;
import org.apache.spark.sql.catalyst.TableIdentifier;
import org.apache.spark.sql.catalyst.analysis.FunctionRegistry$;
import org.apache.spark.sql.catalyst.analysis.SchemaBinding$;
import org.apache.spark.sql.catalyst.analysis.SchemaCompensation$;
import org.apache.spark.sql.catalyst.analysis.SchemaEvolution$;
import org.apache.spark.sql.catalyst.analysis.SchemaTypeEvolution$;
import org.apache.spark.sql.catalyst.analysis.UnresolvedFunction;
import org.apache.spark.sql.catalyst.analysis.UnresolvedTableValuedFunction;
import org.apache.spark.sql.catalyst.analysis.ViewSchemaMode;
import org.apache.spark.sql.catalyst.catalog.CatalogStorageFormat;
import org.apache.spark.sql.catalyst.catalog.CatalogTable;
import org.apache.spark.sql.catalyst.catalog.CatalogTableType;
import org.apache.spark.sql.catalyst.catalog.CatalogUtils;
import org.apache.spark.sql.catalyst.expressions.Expression;
import org.apache.spark.sql.catalyst.expressions.ExpressionInfo;
import org.apache.spark.sql.catalyst.expressions.SortOrder;
import org.apache.spark.sql.catalyst.plans.logical.CreateUserDefinedFunction;
import org.apache.spark.sql.catalyst.plans.logical.LogicalPlan;
import org.apache.spark.sql.catalyst.plans.logical.UnresolvedTableSpec;
import org.apache.spark.sql.catalyst.util.package$;
import org.apache.spark.sql.classic.SparkSession;
import org.apache.spark.sql.connector.catalog.CatalogPlugin;
import org.apache.spark.sql.connector.catalog.CatalogV2Util;
import org.apache.spark.sql.connector.catalog.Column;
import org.apache.spark.sql.connector.catalog.Identifier;
import org.apache.spark.sql.connector.catalog.Table;
import org.apache.spark.sql.connector.catalog.TableCatalog;
import org.apache.spark.sql.execution.command.CreateViewCommand;
import org.apache.spark.sql.execution.command.SetCatalogCommand;
import org.apache.spark.sql.execution.command.ViewHelper$;
import org.apache.spark.sql.execution.datasources.DataSource;
import org.apache.spark.sql.execution.streaming.FileStreamSink;
import org.apache.spark.sql.execution.streaming.StreamingRelation;
import org.apache.spark.sql.types.StructField;
import org.apache.spark.sql.types.StructType;
import scala.Function1;
import scala.Option;
import scala.Tuple2;
import scala.Tuple3;
import scala.collection.immutable.Seq;
import scala.jdk.javaapi.CollectionConverters;

/** What the rest of the engine asks of Spark and is spelled otherwise in each of its versions. */
public final class SparkApi {
  private static final String OPTION = "option.";
  private static final CatalogStorageFormat NOWHERE = new CatalogStorageFormat(Option.empty(),
      Option.empty(), Option.empty(), Option.empty(), false, map(Map.of()));

  private SparkApi() {}

  /** Returns a table as Spark's commands know it; its properties tell place, owner and format. */
  public static CatalogTable table(CatalogPlugin catalog, Identifier id, StructType schema,
      List<String> partitions, Map<String, String> properties) {
    Map<String, String> rest = new HashMap<>(properties);
    String kind = rest.remove("table_type");
    CatalogTableType type =
        "EXTERNAL".equals(kind) ? CatalogTableType.EXTERNAL() : CatalogTableType.MANAGED();
    Map<String, String> options = new HashMap<>();
    properties.forEach((key, value) -> {
      if (key.startsWith(OPTION)) {
        options.put(key.substring(OPTION.length()), value);
        rest.remove(key);
      }
    });
    String location = rest.remove(TableCatalog.PROP_LOCATION);
    CatalogStorageFormat storage = new CatalogStorageFormat(
        Option.apply(location).map(CatalogUtils::stringToURI), Option.empty(), Option.empty(),
        Option.empty(), false, map(options));
    return table(catalog, id, type, storage, schema, partitions, rest, null);
  }

  private static CatalogTable table(CatalogPlugin catalog, Identifier id, CatalogTableType type,
      CatalogStorageFormat storage, StructType schema, List<String> partitions,
      Map<String, String> rest, String text) {
    TableIdentifier name = new TableIdentifier(
        id.name(), Option.apply(id.namespace()[0]), Option.apply(catalog.name()));
    String provider = rest.remove(TableCatalog.PROP_PROVIDER);
    String owner = rest.getOrDefault(TableCatalog.PROP_OWNER, "");
    rest.remove(TableCatalog.PROP_OWNER);
    String comment = rest.remove(TableCatalog.PROP_COMMENT);
    return new CatalogTable(name, type, storage, schema, Option.apply(provider), seq(partitions),
        Option.empty(), owner, 0, -1, "", map(rest), Option.empty(), Option.apply(text),
        Option.apply(comment), Option.empty(), seq(List.of()), false, true, map(Map.of()),
        Option.apply(text));
  }

  /** Returns a view with the properties that tell Spark's analyzer how to read it. */
  static CatalogTable view(CatalogPlugin catalog, Identifier id, LakeView view) {
    Map<String, String> told = new HashMap<>(view.properties());
    told.keySet().removeIf(key -> key.startsWith("view.")); // those are Spark's, and not a user's
    told.putAll(CollectionConverters.asJava(CatalogTable.catalogAndNamespaceToProps(
        view.catalog(), seq(List.of(view.namespace())))));
    view.configs().forEach((name, value) ->
        told.put(CatalogTable.VIEW_SQL_CONFIG_PREFIX() + name, value));
    told.put(CatalogTable.VIEW_QUERY_OUTPUT_NUM_COLUMNS(), "" + view.columns().length);
    for (int i = 0; i < view.columns().length; i++) {
      told.put(CatalogTable.VIEW_QUERY_OUTPUT_COLUMN_NAME_PREFIX() + i, view.columns()[i]);
    }
    if (view.mode() != null) {
      told.put(CatalogTable.VIEW_SCHEMA_MODE(), view.mode());
    }
    return table(catalog, id, CatalogTableType.VIEW(), NOWHERE, view.schema(), List.of(), told,
        view.query());
  }

  /** Returns the view of an analysed statement, whose query has this schema. */
  static LakeView view(SparkSession session, CreateViewCommand command, StructType query) {
    StructType schema = named(command, query);
    Map<String, String> properties =
        new HashMap<>(CollectionConverters.asJava(command.properties()));
    if (command.comment().isDefined()) {
      properties.put(TableCatalog.PROP_COMMENT, command.comment().get());
    }
    CatalogTable made = table(session.sessionState().catalogManager().currentCatalog(),
        Identifier.of(new String[] {command.name().database().get()}, command.name().table()),
        CatalogTableType.VIEW(), NOWHERE, schema, List.of(),
        new HashMap<>(CollectionConverters.asJava(ViewHelper$.MODULE$.generateViewProperties(
            command.properties(), session, query.fieldNames(), schema.fieldNames(),
            command.viewSchemaMode(), seq(List.of()), seq(List.of()), seq(List.of())))), "");
    List<String> place = CollectionConverters.asJava(made.viewCatalogAndNamespace());
    return new LakeView(schema, properties, TableFunctionNames.written(command.originalText().get()), place.get(0),
        place.subList(1, place.size()).toArray(String[]::new),
        new HashMap<>(CollectionConverters.asJava(made.viewSQLConfigs())),
        made.viewSchemaMode().toString(),
        CollectionConverters.asJava(made.viewQueryColumnNames()).toArray(String[]::new));
  }

  /** Returns the columns of a view as its statement names them. */
  private static StructType named(CreateViewCommand command, StructType query) {
    List<Tuple2<String, Option<String>>> given =
        CollectionConverters.asJava(command.userSpecifiedColumns());
    if (given.isEmpty()) {
      return query;
    }
    StructField[] fields = query.fields();
    if (given.size() != fields.length) {
      String which = given.size() > fields.length ? "NOT_ENOUGH" : "TOO_MANY";
      throw Refusal.of("CREATE_VIEW_COLUMN_ARITY_MISMATCH." + which + "_DATA_COLUMNS", "The view `"
          + command.name().table() + "` names " + given.size() + " columns, its query has "
          + fields.length + ".");
    }
    StructType schema = new StructType();
    for (int i = 0; i < fields.length; i++) {
      StructField field = new StructField(
          given.get(i)._1(), fields[i].dataType(), fields[i].nullable(), fields[i].metadata());
      Option<String> comment = given.get(i)._2();
      schema = schema.add(comment.isEmpty() ? field : field.withComment(comment.get()));
    }
    return schema;
  }

  /** Returns what becomes of a view's columns, from the words in which that is kept. */
  static ViewSchemaMode mode(String words) {
    return List.<ViewSchemaMode>of(SchemaBinding$.MODULE$, SchemaEvolution$.MODULE$,
            SchemaTypeEvolution$.MODULE$)
        .stream()
        .filter(mode -> mode.toString().equals(words))
        .findFirst()
        .orElse(SchemaCompensation$.MODULE$);
  }

  public static Column[] columns(StructType schema) {
    return CatalogV2Util.structTypeToV2Columns(schema);
  }

  /** Puts functions into every session, and what only this version needs. */
  static void extend(SparkSessionExtensions extensions, List<Tuple3<FunctionIdentifier,
      ExpressionInfo, Function1<Seq<Expression>, Expression>>> functions) {
    for (var function : functions) {
      extensions.injectFunction(function);
      // What is not built in is temporary to this version, which no view or function may name.
      FunctionRegistry$.MODULE$.builtin()
          .registerFunction(function._1(), function._2(), function._3());
    }
    extensions.injectResolutionRule(session -> new ViewAliases());
  }

  /** Returns the name of a table function as it was written. */
  static Seq<String> name(UnresolvedTableValuedFunction f) {
    return TableFunctionNames.parts(f.name());
  }

  static UnresolvedFunction call(List<String> name, List<Expression> arguments) {
    return new UnresolvedFunction(seq(name), seq(arguments), false, Option.empty(), false,
        seq(List.<SortOrder>of()), false);
  }

  /** Returns the function under another name, not to be made where there is one. */
  static CreateUserDefinedFunction named(CreateUserDefinedFunction f, LogicalPlan name) {
    return f.copy(name, f.inputParamText(), f.returnTypeText(), f.exprText(), f.queryText(),
        f.comment(), f.isDeterministic(), f.containsSQL(), f.language(), f.isTableFunc(), false,
        true);
  }

  static UnresolvedTableSpec with(
      UnresolvedTableSpec s, scala.collection.immutable.Map<String, String> properties) {
    return s.copy(properties, s.provider(), s.optionExpression(), s.location(), s.comment(),
        s.collation(), s.serde(), s.external());
  }

  /** Returns the expression in words. */
  static String pretty(Expression expression) {
    return package$.MODULE$.toPrettySQL(expression);
  }

  /** Returns the name of the catalog to be used. */
  static String catalog(SetCatalogCommand use) {
    return use.catalogName();
  }

  /** Returns what a stream reads, or null for a plan that is no stream. */
  static DataSource streamed(LogicalPlan plan) {
    return plan instanceof StreamingRelation relation ? relation.dataSource() : null;
  }

  static boolean writesFiles(Table sink) {
    return sink instanceof FileStreamSink;
  }

  private static <T> Seq<T> seq(List<T> list) {
    return CollectionConverters.asScala(list).toList();
  }

  private static scala.collection.immutable.Map<String, String> map(Map<String, String> map) {
    return scala.collection.immutable.Map.from(CollectionConverters.asScala(map));
  }
}
