package laketop.engine;

import java.util.Arrays;
import java.util.List;
import java.util.function.UnaryOperator;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.apache.spark.sql.catalyst.analysis.UnresolvedAttribute;
import org.apache.spark.sql.catalyst.analysis.UnresolvedRelation;
import org.apache.spark.sql.catalyst.analysis.UnresolvedStar;
import org.apache.spark.sql.catalyst.expressions.And;
import org.apache.spark.sql.catalyst.expressions.EqualTo;
import org.apache.spark.sql.catalyst.expressions.Expression;
import org.apache.spark.sql.catalyst.expressions.NamedExpression;
import org.apache.spark.sql.catalyst.expressions.Not;
import org.apache.spark.sql.catalyst.parser.ParseException;
import org.apache.spark.sql.catalyst.parser.ParserInterface;
import org.apache.spark.sql.catalyst.plans.logical.Assignment;
import org.apache.spark.sql.catalyst.plans.logical.DeleteAction;
import org.apache.spark.sql.catalyst.plans.logical.InsertAction;
import org.apache.spark.sql.catalyst.plans.logical.InsertIntoStatement;
import org.apache.spark.sql.catalyst.plans.logical.InsertReplaceOn;
import org.apache.spark.sql.catalyst.plans.logical.InsertReplaceUsing;
import org.apache.spark.sql.catalyst.plans.logical.LogicalPlan;
import org.apache.spark.sql.catalyst.plans.logical.MergeIntoTable;
import org.apache.spark.sql.catalyst.plans.logical.Project;
import org.apache.spark.sql.catalyst.plans.logical.SubqueryAlias;
import org.apache.spark.sql.catalyst.plans.logical.SubqueryAlias$;
import org.apache.spark.sql.catalyst.plans.logical.UnresolvedWith;
import org.apache.spark.sql.classic.Dataset$;
import org.apache.spark.sql.classic.SparkSession;
import org.apache.spark.sql.connector.catalog.Column;
import org.apache.spark.sql.connector.catalog.Identifier;
import org.apache.spark.sql.execution.command.ExplainCommand;
import scala.Option;
import scala.collection.immutable.Seq;
import scala.jdk.javaapi.CollectionConverters;

/**
 * INSERT ... REPLACE USING and REPLACE ON: rows that a query's rows match go, and those come.
 *
 * <p>It is one MERGE, so that both happen or neither does. Each row of the query is in its source
 * twice: once to be inserted, which matches nothing, and once to delete what it matches. A query
 * without rows changes nothing. Source: Databricks' documentation of INSERT.
 */
final class ReplaceInsert {
  private static final String TARGET = "target";
  private static final String QUERY = "source";
  private static final String COMES = "_inserted";

  private final SparkSession session;
  private final ParserInterface parser;
  private final InsertIntoStatement insert;
  /** The names of the query's columns, and of those of the table that they go into. */
  private final List<String> from;
  private final List<String> into;
  private final String alias;

  private ReplaceInsert(SparkSession session, ParserInterface parser, InsertIntoStatement insert,
      UnaryOperator<LogicalPlan> whole) {
    this.session = session;
    this.parser = parser;
    this.insert = insert;
    from = List.of(
        Dataset$.MODULE$.ofRows(session, whole.apply(insert.query())).schema().fieldNames());
    into = insert.byName() ? from : targets();
    alias = insert.query() instanceof SubqueryAlias named ? named.alias() : QUERY;
  }

  /** Returns the plan with a MERGE where it has one of these inserts. */
  static LogicalPlan rewritten(SparkSession session, ParserInterface parser, LogicalPlan plan)
      throws ParseException {
    if (is(plan)) {
      return new ReplaceInsert(session, parser, (InsertIntoStatement) plan, query -> query).merge();
    }
    if (plan instanceof ExplainCommand explain) {
      return explain.copy(rewritten(session, parser, explain.logicalPlan()), explain.mode());
    }
    if (plan instanceof UnresolvedWith with && is(with.child())) {
      UnaryOperator<LogicalPlan> whole = child ->
          (LogicalPlan) with.withNewChildren(ReplaceInsert.<LogicalPlan>listed(child));
      return whole.apply(new ReplaceInsert(
          session, parser, (InsertIntoStatement) with.child(), whole).merge());
    }
    return plan;
  }

  private static boolean is(LogicalPlan plan) {
    return plan instanceof InsertIntoStatement insert && insert.replaceCriteriaOpt().isDefined();
  }

  /** Returns the columns that values go into by their place. */
  private List<String> targets() {
    List<String> columns = CollectionConverters.asJava(insert.userSpecifiedCols());
    if (columns.isEmpty()) {
      columns = columns();
    }
    if (columns.size() != from.size()) {
      String which = columns.size() > from.size() ? "NOT_ENOUGH" : "TOO_MANY";
      throw Refusal.of("INSERT_COLUMN_ARITY_MISMATCH." + which + "_DATA_COLUMNS",
          "The query has " + from.size() + " columns, " + from + ", for the " + columns.size()
              + " columns " + columns + " of the table.");
    }
    return columns;
  }

  private List<String> columns() {
    if (!(insert.table() instanceof UnresolvedRelation relation)) {
      throw Refusal.of("UNSUPPORTED_FEATURE",
          "INSERT ... REPLACE USING and REPLACE ON need the name of a table.");
    }
    String[] name = Names.full(session, CollectionConverters.asJava(relation.multipartIdentifier())
        .stream().map(Sql::quoted).collect(Collectors.joining(".")));
    Identifier id = Identifier.of(new String[] {name[1]}, name[2]);
    LakeCatalog catalog = TableStatements.catalog(session, name);
    if (!catalog.isPathIdentifier(id)) {
      Access.table("MODIFY", name[0], id);
    }
    return Arrays.stream(catalog.loadTable(id).columns()).map(Column::name).toList();
  }

  private LogicalPlan merge() throws ParseException {
    NamedExpression twice = (NamedExpression)
        parser.parseExpression("explode(array(true, false)) AS " + COMES);
    Expression all = new UnresolvedStar(Option.empty());
    LogicalPlan source = SubqueryAlias$.MODULE$.apply(alias,
        new Project(listed((NamedExpression) all, twice), insert.query()));
    Expression comes = column(alias, COMES);
    return new MergeIntoTable(target(), source, matches(new Not(comes)),
        listed(new DeleteAction(Option.empty())),
        listed(new InsertAction(Option.apply(comes), assignments())), listed(),
        insert.withSchemaEvolution());
  }

  private Seq<Assignment> assignments() {
    List<Assignment> assignments = IntStream.range(0, into.size())
        .mapToObj(i -> new Assignment(column(into.get(i)), column(alias, from.get(i))))
        .toList();
    return CollectionConverters.asScala(assignments).toList();
  }

  private static Expression column(String... name) {
    return new UnresolvedAttribute(listed(name));
  }

  @SafeVarargs
  private static <T> Seq<T> listed(T... elements) {
    return CollectionConverters.asScala(List.of(elements)).toList();
  }

  private LogicalPlan target() {
    Option<String> name = insert.replaceCriteriaOpt().get() instanceof InsertReplaceOn on
        ? on.tableAliasOpt()
        : Option.apply(TARGET);
    return name.isEmpty() ? insert.table() : SubqueryAlias$.MODULE$.apply(name.get(), insert.table());
  }

  /** Returns the condition on which a row of the source deletes one of the table. */
  private Expression matches(Expression deletes) {
    if (insert.replaceCriteriaOpt().get() instanceof InsertReplaceOn on) {
      return new And(deletes, on.cond());
    }
    Expression all = deletes;
    InsertReplaceUsing using = (InsertReplaceUsing) insert.replaceCriteriaOpt().get();
    for (String column : CollectionConverters.asJava(using.cols())) {
      all = new And(all, new EqualTo(column(TARGET, column), column(alias, source(column))));
    }
    return all;
  }

  private String source(String column) {
    int at = IntStream.range(0, into.size())
        .filter(i -> into.get(i).equalsIgnoreCase(column))
        .findFirst()
        .orElseThrow(() -> Refusal.of("UNRESOLVED_COLUMN.WITH_SUGGESTION", "REPLACE USING names"
            + " the column `" + column + "`, but the insert sets " + into + "."));
    return from.get(at);
  }
}
