package laketop.engine;

import org.apache.spark.sql.classic.SparkSession;
import org.apache.spark.sql.execution.streaming.runtime.FileStreamSource;
import org.apache.spark.sql.types.StructType;
import scala.collection.immutable.Map;
import scala.collection.immutable.Seq;

/** Spark's stream of files, by the name that it has in this version. */
class FileStream extends FileStreamSource {
  FileStream(SparkSession session, String path, String format, StructType schema,
      Seq<String> partitions, String metadata, Map<String, String> options) {
    super(session, path, format, schema, partitions, metadata, options);
  }
}
