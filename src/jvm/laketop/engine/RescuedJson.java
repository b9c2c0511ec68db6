package laketop.engine;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.Charset;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.apache.hadoop.io.Text;
import org.apache.spark.sql.catalyst.InternalRow;
import org.apache.spark.sql.catalyst.expressions.GenericInternalRow;
import org.apache.spark.sql.catalyst.json.CreateJacksonParser;
import org.apache.spark.sql.catalyst.json.JSONOptionsInRead;
import org.apache.spark.sql.catalyst.json.JacksonParser;
import org.apache.spark.sql.catalyst.util.BadRecordException;
import org.apache.spark.sql.execution.datasources.CodecStreams;
import org.apache.spark.sql.execution.datasources.FileFormat;
import org.apache.spark.sql.execution.datasources.PartitionedFile;
import org.apache.spark.sql.execution.datasources.json.JsonFileFormat;
import org.apache.spark.unsafe.types.UTF8String;
import scala.collection.immutable.Nil$;
import scala.jdk.javaapi.CollectionConverters;

/** JSON whose values that do not fit are rescued. */
public final class RescuedJson extends RescuedFormat {
  @Override
  FileFormat plain() {
    return new JsonFileFormat();
  }

  @Override
  @SuppressWarnings("unchecked")
  Iterator<InternalRow> rows(RescuedReading reading, PartitionedFile file) {
    JSONOptionsInRead options =
        new JSONOptionsInRead(reading.options(), reading.zone(), reading.corrupt());
    String charset = options.encoding().getOrElse(() -> "UTF-8");
    Iterator<String> texts = options.multiLine()
        ? List.of(whole(reading, file, charset)).iterator()
        : reading.lines(file, options.lineSeparatorInRead(), charset);
    Records records = new Records(reading, options);
    Iterator<Rescued> all = RescuedReading.stream(texts)
        .filter(text -> !text.isBlank())
        .flatMap(records::of)
        .iterator();
    return reading.rows(all, options.parseMode(), file);
  }

  private static String whole(RescuedReading reading, PartitionedFile file, String charset) {
    try (InputStream in =
        CodecStreams.createInputStreamWithCloseResource(reading.hadoop(), file.toPath())) {
      return new String(in.readAllBytes(), Charset.forName(charset));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Reads texts twice: as Spark does, in its types, and as they stand. */
  private static final class Records {
    private final RescuedReading reading;
    private final JacksonParser parser;
    private final ObjectMapper mapper;

    Records(RescuedReading reading, JSONOptionsInRead options) {
      this.reading = reading;
      parser = new JacksonParser(
          reading.typed(), options, false, (scala.collection.immutable.Seq) Nil$.MODULE$);
      mapper = new ObjectMapper(options.buildJsonFactory())
          .enable(DeserializationFeature.USE_BIG_DECIMAL_FOR_FLOATS)
          .setNodeFactory(JsonNodeFactory.withExactBigDecimals(true));
    }

    /** Returns the records of a text: of an array each of its objects. */
    Stream<Rescued> of(String text) {
      JsonNode root;
      try {
        root = mapper.readTree(text);
      } catch (JsonProcessingException e) {
        return Stream.of(new Rescued(null, null, text));
      }
      return root.isArray()
          ? RescuedReading.stream(root.elements()).map(each -> record(each, each.toString()))
          : Stream.of(record(root, text));
    }

    private Rescued record(JsonNode node, String text) {
      if (!(node instanceof ObjectNode object)) {
        return new Rescued(null, null, text);
      }
      ObjectNode columns = spelled(object);
      InternalRow row = typed(columns == object ? text : columns.toString());
      ObjectNode rest = new Misfits(reading).of(columns, reading.typed(), row);
      return new Rescued(row, rest, null);
    }

    /** Returns the object with the names of the columns, where the case of letters is all one. */
    private ObjectNode spelled(ObjectNode object) {
      if (reading.sensitive()) {
        return object;
      }
      ObjectNode spelled = mapper.createObjectNode();
      boolean changed = false;
      Iterator<Map.Entry<String, JsonNode>> fields = object.fields();
      while (fields.hasNext()) {
        Map.Entry<String, JsonNode> field = fields.next();
        String column = reading.column(field.getKey());
        changed |= column != null && !column.equals(field.getKey());
        spelled.set(column == null ? field.getKey() : column, field.getValue());
      }
      return changed ? spelled : object;
    }

    private InternalRow typed(String text) {
      try {
        // of bytes, in whose text Spark finds that of an object for a column of texts
        var rows = parser.parse(new Text(text), CreateJacksonParser::text,
            record -> UTF8String.fromString(record.toString()));
        return CollectionConverters.asJava(rows).iterator().next();
      } catch (Exception e) {
        if (!(e instanceof BadRecordException bad)) {
          throw e;
        }
        InternalRow[] partial = bad.partialResults().apply();
        return partial.length > 0 ? partial[0] : new GenericInternalRow(reading.typed().size());
      }
    }
  }
}
