package laketop.engine;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.apache.hadoop.fs.Path;
import org.apache.spark.sql.catalyst.analysis.ResolvedIdentifier;
import org.apache.spark.sql.catalyst.analysis.ResolvedPersistentView;
import org.apache.spark.sql.catalyst.expressions.Attribute;
import org.apache.spark.sql.catalyst.expressions.Expression;
import org.apache.spark.sql.catalyst.plans.logical.AlterViewAs;
import org.apache.spark.sql.catalyst.plans.logical.Command;
import org.apache.spark.sql.catalyst.plans.logical.CreateView;
import org.apache.spark.sql.catalyst.plans.logical.DeltaMergeAction;
import org.apache.spark.sql.catalyst.plans.logical.DeltaMergeIntoClause;
import org.apache.spark.sql.catalyst.plans.logical.LogicalPlan;
import org.apache.spark.sql.catalyst.plans.logical.V2CreateTableAsSelectPlan;
import org.apache.spark.sql.catalyst.plans.logical.V2WriteCommand;
import org.apache.spark.sql.delta.commands.CloneSource;
import org.apache.spark.sql.delta.commands.CloneTableCommand;
import org.apache.spark.sql.delta.commands.CreateDeltaTableCommand;
import org.apache.spark.sql.delta.commands.DeleteCommand;
import org.apache.spark.sql.delta.commands.MergeIntoCommand;
import org.apache.spark.sql.delta.commands.UpdateCommand;
import org.apache.spark.sql.delta.sources.DeltaSink;
import org.apache.spark.sql.execution.datasources.InsertIntoHadoopFsRelationCommand;
import org.apache.spark.sql.execution.datasources.SaveIntoDataSourceCommand;
import org.apache.spark.sql.execution.streaming.sources.WriteToMicroBatchDataSourceV1;
import scala.Option;
import scala.collection.immutable.Seq;
import scala.jdk.javaapi.CollectionConverters;

/** What one analysed plan reads and writes: places, and columns of theirs. */
final class Lineage {
  private static final String TABLE = "TABLE";
  private static final int MOST_COLUMNS = 10_000;
  private static final String VIEW = "VIEW";

  private final Origins origins = new Origins();
  private final Map<String, Set<Origins.Origin>> columns = new LinkedHashMap<>();
  private Place target;

  private Lineage() {}

  /** Returns the lineage of a query or of a command that writes; it may be empty. */
  static Lineage of(LogicalPlan plan) {
    Lineage lineage = new Lineage();
    lineage.look(plan);
    return lineage;
  }

  boolean isEmpty() {
    return target == null && origins.places().isEmpty();
  }

  boolean writes() {
    return target != null;
  }

  /**
   * Returns it as the journal has it: {@code columns} are triples of the number of a source, its
   * column, and the target's column or null where nothing is written.
   */
  Map<String, Object> told() {
    List<Place> sources = new ArrayList<>(origins.places());
    sources.remove(target);
    List<Object[]> triples = new ArrayList<>();
    columns.forEach((column, from) -> from.stream()
        .filter(origin -> sources.contains(origin.place()) && triples.size() < MOST_COLUMNS)
        .forEach(origin -> triples.add(
            new Object[] {sources.indexOf(origin.place()), origin.column(), column})));
    Map<String, Object> told = new LinkedHashMap<>();
    told.put("sources", sources.stream().map(Place::told).toList());
    told.put("target", target == null ? null : target.told());
    told.put("columns", triples);
    return told;
  }

  private void look(LogicalPlan plan) {
    if (plan instanceof V2WriteCommand write) {
      LogicalPlan table = (LogicalPlan) write.table();
      write(first(Place.of(table)), write.query(), names(Origins.output(table)));
    } else if (plan instanceof V2CreateTableAsSelectPlan create) {
      write(identified(create.name(), TABLE), create.query(), List.of());
    } else if (plan instanceof CreateView create) {
      List<String> named = CollectionConverters.asJava(create.userSpecifiedColumns()).stream()
          .map(column -> column._1()).toList();
      write(identified(create.child(), VIEW), create.query(), named);
    } else if (plan instanceof AlterViewAs alter) {
      write(identified(alter.child(), VIEW), alter.query(), List.of());
    } else if (plan instanceof WriteToMicroBatchDataSourceV1 stream) {
      write(sink(stream), stream.query(), List.of());
    } else if (plan instanceof SaveIntoDataSourceCommand save) {
      Option<String> path = save.options().get("path");
      write(path.isDefined() ? Place.of(new Path(path.get())) : null, save.query(), List.of());
    } else if (plan instanceof InsertIntoHadoopFsRelationCommand insert) {
      write(Place.of(insert.catalogTable(), insert.outputPath()), insert.query(), List.of());
    } else if (plan instanceof Command) {
      change(plan);
    } else {
      origins.visit(plan);
      Origins.output(plan).forEach(column -> origins.of((Expression) column));
      columns.put(null, new LinkedHashSet<>(origins.read()));
    }
  }

  /** Delta has put its own commands in the place of MERGE, UPDATE and DELETE. */
  private void change(LogicalPlan plan) {
    if (plan instanceof MergeIntoCommand merge) {
      target = Place.of(merge.catalogTable(), merge.targetFileIndex().path());
      origins.visit(merge.target());
      origins.visit(merge.source());
      origins.of(merge.condition());
      clauses(merge.matchedClauses());
      clauses(merge.notMatchedClauses());
      clauses(merge.notMatchedBySourceClauses());
    } else if (plan instanceof UpdateCommand update) {
      target = Place.of(update.catalogTable(), update.tahoeFileIndex().path());
      origins.visit(update.target());
      List<String> names = names(Origins.output(update.target()));
      List<Expression> values = CollectionConverters.asJava(update.updateExpressions());
      for (int i = 0; i < Math.min(names.size(), values.size()); i++) {
        column(names.get(i), origins.of(values.get(i)));
      }
      where(update.condition());
    } else if (plan instanceof DeleteCommand delete) {
      target = Place.of(delete.catalogTable(), delete.deltaLog().dataPath());
      origins.visit(delete.target());
      where(delete.condition());
    } else if (plan instanceof CreateDeltaTableCommand create
        && create.query().isDefined()
        && create.query().get() instanceof CloneTableCommand clone) {
      cloned(Place.of(create.table()), clone.sourceTable());
    } else if (plan instanceof CloneTableCommand clone) {
      cloned(Place.of(clone.targetPath()), clone.sourceTable());
    }
  }

  private void cloned(Place into, CloneSource source) {
    target = into;
    Place from = Place.of(source.catalogTable(), source.dataPath());
    if (from != null) {
      origins.places().add(from);
      for (String name : source.schema().fieldNames()) {
        column(name, Set.of(new Origins.Origin(from, name)));
      }
    }
  }

  private void clauses(Seq<? extends DeltaMergeIntoClause> clauses) {
    for (DeltaMergeIntoClause clause : CollectionConverters.asJava(clauses)) {
      where(clause.condition());
      for (Expression action : CollectionConverters.asJava(clause.actions())) {
        Set<Origins.Origin> from = origins.of(action);
        if (action instanceof DeltaMergeAction set) {
          column(set.targetColNameParts().head(), from);
        }
      }
    }
  }

  private void where(Option<Expression> condition) {
    if (condition.isDefined()) {
      origins.of(condition.get());
    }
  }

  /** Notes a write of a query; its columns are called as the target's where those are told. */
  private void write(Place into, LogicalPlan query, List<String> told) {
    target = into;
    origins.visit(query);
    List<Attribute> output = Origins.output(query);
    List<String> names = told.size() == output.size() ? told : names(output);
    for (int i = 0; i < output.size(); i++) {
      column(names.get(i), origins.of((Expression) output.get(i)));
    }
  }

  private void column(String name, Set<Origins.Origin> from) {
    columns.computeIfAbsent(name, key -> new LinkedHashSet<>()).addAll(from);
  }

  private static Place identified(LogicalPlan name, String type) {
    if (name instanceof ResolvedIdentifier id) {
      return Place.table(id.catalog().name(), id.identifier(), type);
    }
    return name instanceof ResolvedPersistentView view
        ? Place.table(view.catalog().name(), view.identifier(), type)
        : null;
  }

  private static Place sink(WriteToMicroBatchDataSourceV1 stream) {
    if (stream.catalogTable().isDefined()) {
      return Place.of(stream.catalogTable().get());
    }
    return stream.sink() instanceof DeltaSink delta
        ? Place.of(delta.catalogTable(), delta.path())
        : null;
  }

  private static List<String> names(List<Attribute> columns) {
    return columns.stream().map(Attribute::name).toList();
  }

  private static Place first(List<Place> places) {
    return places.isEmpty() ? null : places.get(0);
  }
}
