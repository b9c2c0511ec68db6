package laketop.engine;

import java.util.List;
import java.util.Map;
import org.apache.spark.sql.connector.read.streaming.Offset;
import org.apache.spark.sql.connector.read.streaming.ReadLimit;
import org.apache.spark.sql.types.StructType;
import scala.jdk.javaapi.CollectionConverters;

/** Spark's stream of files, that looks for new columns before each batch. */
final class AutoLoaderSource extends FileStream {
  private final AutoLoader loader;
  private final StructType running;
  private final boolean evolves;

  AutoLoaderSource(AutoLoader loader, String format, StructType schema, List<String> partitions,
      String metadata, Map<String, String> options, boolean evolves) {
    super(loader.session(), loader.path(), format, schema,
        CollectionConverters.asScala(partitions).toList(), metadata,
        scala.collection.immutable.Map.from(CollectionConverters.asScala(options)));
    this.loader = loader;
    this.running = schema;
    this.evolves = evolves;
  }

  @Override
  public Offset latestOffset(Offset start, ReadLimit limit) {
    Offset end = super.latestOffset(start, limit);
    boolean more = end != null && !end.equals(start);
    if (evolves && more) {
      loader.look(running);
    }
    return end;
  }
}
