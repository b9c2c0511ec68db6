package laketop.engine;

import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import org.apache.spark.rdd.RDD;
import org.apache.spark.sql.catalyst.InternalRow;
import org.apache.spark.sql.catalyst.expressions.Attribute;
import org.apache.spark.sql.catalyst.expressions.BindReferences$;
import org.apache.spark.sql.catalyst.expressions.BoundReference;
import org.apache.spark.sql.catalyst.expressions.Expression;
import org.apache.spark.sql.catalyst.expressions.InterpretedSafeProjection$;
import org.apache.spark.sql.catalyst.expressions.InterpretedUnsafeProjection$;
import org.apache.spark.sql.catalyst.expressions.SortOrder;
import org.apache.spark.sql.catalyst.expressions.UnsafeRow;
import org.apache.spark.sql.catalyst.expressions.package$;
import org.apache.spark.sql.catalyst.plans.physical.Partitioning;
import org.apache.spark.sql.execution.DeserializeToObjectExec;
import org.apache.spark.sql.execution.RDDScanExec;
import org.apache.spark.sql.execution.SparkPlan;
import scala.Function1;
import scala.collection.immutable.IndexedSeq;
import scala.collection.immutable.Seq;
import scala.jdk.javaapi.CollectionConverters;

/** A projection, or objects made rows, as the node it stands for does it, without code. */
final class Interpreted extends SparkPlan {
  private final SparkPlan generated;

  Interpreted(SparkPlan generated) {
    this.generated = generated;
  }

  @Override
  public RDD<InternalRow> doExecute() {
    boolean isScan = generated instanceof RDDScanExec;
    boolean makesObjects = generated instanceof DeserializeToObjectExec;
    Seq<Expression> made = isScan ? columns() : bound();
    return input().toJavaRDD()
        .mapPartitionsWithIndex((partition, rows) -> {
          var projection = makesObjects
              ? InterpretedSafeProjection$.MODULE$.createProjection(made)
              : InterpretedUnsafeProjection$.MODULE$.createProjection(made);
          projection.initialize(partition);
          return new Projected(rows, projection, isScan);
        }, true)
        .rdd();
  }

  private RDD<InternalRow> input() {
    return generated instanceof RDDScanExec scan ? scan.rdd() : children().head().execute();
  }

  private Seq<Expression> bound() {
    List<Expression> made = new ArrayList<>();
    if (generated instanceof DeserializeToObjectExec read) {
      made.add(read.deserializer());
    } else {
      made.addAll(CollectionConverters.asJava(generated.expressions()));
    }
    var input = package$.MODULE$.AttributeSeq(children().head().output());
    return BindReferences$.MODULE$.bindReferences(
        CollectionConverters.asScala(made).toList(), input);
  }

  private Seq<Expression> columns() {
    List<Expression> columns = new ArrayList<>();
    for (Attribute column : CollectionConverters.asJava(output())) {
      columns.add(new BoundReference(columns.size(), column.dataType(), column.nullable()));
    }
    return CollectionConverters.asScala(columns).toList();
  }

  private record Projected(
      Iterator<InternalRow> rows, Function1<InternalRow, InternalRow> projection, boolean isScan)
      implements Iterator<InternalRow> {
    @Override
    public boolean hasNext() {
      return rows.hasNext();
    }

    @Override
    public InternalRow next() {
      InternalRow row = rows.next();
      return isScan && row instanceof UnsafeRow ? row : projection.apply(row);
    }
  }

  @Override
  public Seq<SparkPlan> children() {
    return generated.children();
  }

  @Override
  public SparkPlan withNewChildrenInternal(IndexedSeq<SparkPlan> children) {
    return new Interpreted((SparkPlan) generated.withNewChildren(children));
  }

  @Override
  public SparkPlan doCanonicalize() {
    return new Interpreted((SparkPlan) generated.canonicalized());
  }

  @Override
  public Seq<Attribute> output() {
    return generated.output();
  }

  @Override
  public Partitioning outputPartitioning() {
    return generated.outputPartitioning();
  }

  @Override
  public Seq<SortOrder> outputOrdering() {
    return generated.outputOrdering();
  }

  @Override
  public int productArity() {
    return 1;
  }

  @Override
  public Object productElement(int n) {
    return generated;
  }

  @Override
  public boolean canEqual(Object other) {
    return other instanceof Interpreted;
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof Interpreted project && generated.equals(project.generated);
  }

  @Override
  public int hashCode() {
    return generated.hashCode();
  }
}
