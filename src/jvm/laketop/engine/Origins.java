package laketop.engine;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.apache.spark.sql.catalyst.expressions.Alias;
import org.apache.spark.sql.catalyst.expressions.Attribute;
import org.apache.spark.sql.catalyst.expressions.ExprId;
import org.apache.spark.sql.catalyst.expressions.Expression;
import org.apache.spark.sql.catalyst.expressions.OuterReference;
import org.apache.spark.sql.catalyst.expressions.ScalarSubquery;
import org.apache.spark.sql.catalyst.expressions.SubqueryExpression;
import org.apache.spark.sql.catalyst.plans.logical.CTERelationDef;
import org.apache.spark.sql.catalyst.plans.logical.CTERelationRef;
import org.apache.spark.sql.catalyst.plans.logical.Expand;
import org.apache.spark.sql.catalyst.plans.logical.Generate;
import org.apache.spark.sql.catalyst.plans.logical.LogicalPlan;
import org.apache.spark.sql.catalyst.plans.logical.Union;
import scala.collection.immutable.Seq;
import scala.jdk.javaapi.CollectionConverters;

/**
 * From which columns of which places each attribute of an analysed plan comes.
 *
 * <p>Followed through expressions, aggregates, joins, unions, CTEs and scalar subqueries; a view
 * is a place of its own. A frame that Python makes of another (mapInPandas, applyInPandas) has
 * columns of no origin, since nobody knows what the function does.
 */
final class Origins {
  /** A column of a place. */
  record Origin(Place place, String column) {}

  private final Map<ExprId, Set<Origin>> known = new HashMap<>();
  private final Map<Long, List<Attribute>> queries = new HashMap<>();
  private final Set<Place> places = new LinkedHashSet<>();
  private final Set<Origin> read = new LinkedHashSet<>();

  /** Returns the places that were read, in the order in which the plan names them. */
  Set<Place> places() {
    return places;
  }

  /** Returns the columns that an expression of the plan, or its result, has named. */
  Set<Origin> read() {
    return read;
  }

  Set<Origin> of(Attribute attribute) {
    return known.getOrDefault(attribute.exprId(), Set.of());
  }

  void visit(LogicalPlan plan) {
    List<Attribute> output = output(plan);
    List<Place> own = Place.of(plan);
    if (!own.isEmpty()) {
      places.addAll(own);
      output.forEach(column -> own.forEach(place ->
          add(column.exprId(), Set.of(new Origin(place, column.name())))));
      return;
    }
    if (plan instanceof CTERelationRef ref) {
      pass(queries.getOrDefault(ref.cteId(), List.of()), output);
      return;
    }
    CollectionConverters.asJava(plan.children()).forEach(this::visit);
    through(plan, output);
    CollectionConverters.asJava(plan.expressions()).forEach(this::of);
  }

  /** Notes the columns that a plan makes without an alias. */
  private void through(LogicalPlan plan, List<Attribute> output) {
    if (plan instanceof CTERelationDef query) {
      queries.put(query.id(), output);
    } else if (plan instanceof Union union) {
      CollectionConverters.asJava(union.children()).forEach(child -> pass(output(child), output));
    } else if (plan instanceof Expand expand) {
      for (Seq<Expression> row : CollectionConverters.asJava(expand.projections())) {
        List<Expression> values = CollectionConverters.asJava(row);
        for (int i = 0; i < Math.min(values.size(), output.size()); i++) {
          add(output.get(i).exprId(), of(values.get(i)));
        }
      }
    } else if (plan instanceof Generate generate) {
      Set<Origin> origins = of((Expression) generate.generator());
      CollectionConverters.asJava(generate.generatorOutput())
          .forEach(column -> add(column.exprId(), origins));
    }
  }

  /** Returns the origins of an expression, and notes those of the aliases in it. */
  Set<Origin> of(Expression expression) {
    if (expression instanceof Attribute attribute) {
      read.addAll(of(attribute));
      return of(attribute);
    }
    Set<Origin> origins = new LinkedHashSet<>();
    if (expression instanceof OuterReference outer) {
      origins.addAll(of((Expression) outer.e()));
    }
    if (expression instanceof SubqueryExpression query) {
      visit(query.plan());
      List<Attribute> output = output(query.plan());
      if (expression instanceof ScalarSubquery && !output.isEmpty()) {
        origins.addAll(of((Expression) output.get(0)));
      }
    } else {
      CollectionConverters.asJava(expression.children()).forEach(e -> origins.addAll(of(e)));
    }
    if (expression instanceof Alias alias) {
      add(alias.exprId(), origins);
    }
    return origins;
  }

  private void pass(List<Attribute> from, List<Attribute> to) {
    for (int i = 0; i < Math.min(from.size(), to.size()); i++) {
      add(to.get(i).exprId(), of(from.get(i)));
    }
  }

  private void add(ExprId attribute, Set<Origin> origins) {
    if (!origins.isEmpty()) {
      known.merge(attribute, origins, (old, more) -> {
        Set<Origin> both = new LinkedHashSet<>(old);
        both.addAll(more);
        return both;
      });
    }
  }

  static List<Attribute> output(LogicalPlan plan) {
    return plan.resolved() ? new ArrayList<>(CollectionConverters.asJava(plan.output())) : List.of();
  }
}
