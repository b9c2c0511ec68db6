package laketop.engine;

import java.util.List;
import java.util.Map;
import org.apache.spark.sql.SparkSessionExtensions;
import org.apache.spark.sql.catalyst.FunctionIdentifier;
import org.apache.spark.sql.catalyst.analysis.UnresolvedFunction;
import org.apache.spark.sql.catalyst.analysis.UnresolvedTableValuedFunction;
import org.apache.spark.sql.catalyst.catalog.CatalogTable;
import org.apache.spark.sql.catalyst.expressions.Expression;
import org.apache.spark.sql.catalyst.expressions.ExpressionInfo;
import org.apache.spark.sql.catalyst.expressions.SortOrder;
import org.apache.spark.sql.catalyst.plans.logical.CreateUserDefinedFunction;
import org.apache.spark.sql.catalyst.plans.logical.LogicalPlan;
import org.apache.spark.sql.catalyst.plans.logical.UnresolvedTableSpec;
import org.apache.spark.sql.catalyst.util.package$;
import org.apache.spark.sql.connector.catalog.CatalogPlugin;
import org.apache.spark.sql.connector.catalog.CatalogV2Util;
import org.apache.spark.sql.connector.catalog.Column;
import org.apache.spark.sql.connector.catalog.DelegatingTable;
import org.apache.spark.sql.connector.catalog.Identifier;
import org.apache.spark.sql.connector.catalog.Table;
import org.apache.spark.sql.connector.catalog.TableInfo;
import org.apache.spark.sql.connector.catalog.V1Table$;
import org.apache.spark.sql.connector.expressions.Expressions;
import org.apache.spark.sql.connector.expressions.Transform;
import org.apache.spark.sql.execution.command.SetCatalogCommand;
import org.apache.spark.sql.execution.datasources.DataSource;
import org.apache.spark.sql.execution.streaming.runtime.StreamingRelation;
import org.apache.spark.sql.execution.streaming.sinks.FileStreamSink;
import org.apache.spark.sql.types.StructType;
import scala.Function1;
import scala.Option;
import scala.Tuple3;
import scala.collection.immutable.Seq;
import scala.jdk.javaapi.CollectionConverters;

/** What the rest of the engine asks of Spark and is spelled otherwise in each of its versions. */
public final class SparkApi {
  private SparkApi() {}

  /** Returns a table as Spark's commands know it; its properties tell place, owner and format. */
  public static CatalogTable table(CatalogPlugin catalog, Identifier id, StructType schema,
      List<String> partitions, Map<String, String> properties) {
    TableInfo info = new TableInfo.Builder()
        .withSchema(schema)
        .withPartitions(partitions.stream().map(Expressions::identity).toArray(Transform[]::new))
        .withProperties(properties)
        .build();
    DelegatingTable table = new DelegatingTable(info, catalog.name() + "." + id);
    return V1Table$.MODULE$.toCatalogTable(catalog, id, table);
  }

  public static Column[] columns(StructType schema) {
    return CatalogV2Util.structTypeToV2Columns(schema, false);
  }

  /** Puts functions into every session. */
  static void extend(SparkSessionExtensions extensions, List<Tuple3<FunctionIdentifier,
      ExpressionInfo, Function1<Seq<Expression>, Expression>>> functions) {
    functions.forEach(extensions::injectFunction);
  }

  /** Returns the name of a table function as it was written. */
  static Seq<String> name(UnresolvedTableValuedFunction f) {
    return f.name();
  }

  static UnresolvedFunction call(List<String> name, List<Expression> arguments) {
    return new UnresolvedFunction(CollectionConverters.asScala(name).toList(),
        CollectionConverters.asScala(arguments).toList(), false, Option.empty(), Option.empty(),
        CollectionConverters.asScala(List.<SortOrder>of()).toList(), false);
  }

  /** Returns the function under another name, not to be made where there is one. */
  static CreateUserDefinedFunction named(CreateUserDefinedFunction f, LogicalPlan name) {
    return f.copy(name, f.inputParamText(), f.returnTypeText(), f.exprText(), f.queryText(),
        f.comment(), f.collation(), f.isDeterministic(), f.containsSQL(), f.language(),
        f.isTableFunc(), false, true);
  }

  static UnresolvedTableSpec with(
      UnresolvedTableSpec s, scala.collection.immutable.Map<String, String> properties) {
    return s.copy(properties, s.provider(), s.optionExpression(), s.location(), s.comment(),
        s.collation(), s.serde(), s.external(), s.constraints());
  }

  /** Returns the expression in words. */
  static String pretty(Expression expression) {
    return package$.MODULE$.toPrettySQL(expression, false);
  }

  /** Returns the name of the catalog to be used, or null where it cannot be known yet. */
  static String catalog(SetCatalogCommand use) {
    Expression name = use.catalogNameExpr();
    Object catalog = name.resolved() ? name.eval(null) : null;
    return catalog == null ? null : catalog.toString();
  }

  /** Returns what a stream reads, or null for a plan that is no stream. */
  static DataSource streamed(LogicalPlan plan) {
    return plan instanceof StreamingRelation relation ? relation.dataSource() : null;
  }

  static boolean writesFiles(Table sink) {
    return sink instanceof FileStreamSink;
  }
}
