package cloudFiles;

import laketop.engine.AutoLoader;
import org.apache.hadoop.fs.FileStatus;
import org.apache.hadoop.mapreduce.Job;
import org.apache.spark.sql.SQLContext;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.execution.datasources.FileFormat;
import org.apache.spark.sql.execution.datasources.OutputWriterFactory;
import org.apache.spark.sql.execution.streaming.Source;
import org.apache.spark.sql.sources.StreamSourceProvider;
import org.apache.spark.sql.types.StructType;
import scala.Option;
import scala.Tuple2;
import scala.collection.immutable.Map;
import scala.collection.immutable.Seq;
import scala.jdk.javaapi.CollectionConverters;

/**
 * The format {@code cloudFiles}, Auto Loader, which Spark finds by the name of this class.
 *
 * <p>That it is a FileFormat too gives its rows the column {@code _metadata}.
 */
public final class DefaultSource implements StreamSourceProvider, FileFormat {
  @Override
  public Tuple2<String, StructType> sourceSchema(SQLContext context, Option<StructType> given,
      String provider, Map<String, String> options) {
    return new Tuple2<>(provider, loader(context, options).schema(given.getOrElse(() -> null)));
  }

  @Override
  public Source createSource(SQLContext context, String metadata, Option<StructType> given,
      String provider, Map<String, String> options) {
    return loader(context, options).source(given.getOrElse(() -> null), metadata);
  }

  private static AutoLoader loader(SQLContext context, Map<String, String> options) {
    return new AutoLoader(
        (org.apache.spark.sql.classic.SparkSession) context.sparkSession(),
        CollectionConverters.asJava(options));
  }

  @Override
  public Option<StructType> inferSchema(
      SparkSession session, Map<String, String> options, Seq<FileStatus> files) {
    throw onlyStreams();
  }

  @Override
  public OutputWriterFactory prepareWrite(
      SparkSession session, Job job, Map<String, String> options, StructType schema) {
    throw onlyStreams();
  }

  private static RuntimeException onlyStreams() {
    return AutoLoader.refusal("cloudFiles is read as a stream only: use spark.readStream.");
  }
}
