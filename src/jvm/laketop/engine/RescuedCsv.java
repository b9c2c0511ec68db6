package laketop.engine;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.univocity.parsers.csv.CsvParser;
import java.nio.charset.Charset;
import java.util.Arrays;
import java.util.Iterator;
import java.util.Objects;
import java.util.stream.Stream;
import org.apache.spark.sql.catalyst.InternalRow;
import org.apache.spark.sql.catalyst.csv.CSVExprUtils;
import org.apache.spark.sql.catalyst.csv.CSVOptions;
import org.apache.spark.sql.catalyst.csv.UnivocityParser;
import org.apache.spark.sql.catalyst.expressions.GenericInternalRow;
import org.apache.spark.sql.execution.datasources.CodecStreams;
import org.apache.spark.sql.execution.datasources.FileFormat;
import org.apache.spark.sql.execution.datasources.PartitionedFile;
import org.apache.spark.sql.execution.datasources.csv.CSVFileFormat;
import org.apache.spark.sql.execution.datasources.csv.CSVUtils;
import scala.Function1;
import scala.jdk.javaapi.CollectionConverters;

/** CSV whose values that do not fit are rescued; columns are found by the header of each file. */
public final class RescuedCsv extends RescuedFormat {
  @Override
  FileFormat plain() {
    return new CSVFileFormat();
  }

  @Override
  Iterator<InternalRow> rows(RescuedReading reading, PartitionedFile file) {
    CSVOptions options =
        new CSVOptions(reading.options(), false, reading.zone(), reading.corrupt());
    UnivocityParser parser = new UnivocityParser(reading.typed(), options);
    Iterator<String[]> records = options.multiLine()
        ? whole(reading, file, options, parser.tokenizer())
        : lines(reading, file, options, parser.tokenizer());
    String[] header = options.headerFlag() && records.hasNext()
        ? CSVUtils.makeSafeHeader(records.next(), false, options)
        : reading.typed().fieldNames();
    Columns columns = new Columns(reading, header, parser);
    Iterator<Rescued> all = RescuedReading.stream(records).map(columns::record).iterator();
    return reading.rows(all, options.parseMode(), file);
  }

  private static Iterator<String[]> whole(
      RescuedReading reading, PartitionedFile file, CSVOptions options, CsvParser parser) {
    parser.beginParsing(
        CodecStreams.createInputStreamWithCloseResource(reading.hadoop(), file.toPath()),
        Charset.forName(options.charset()));
    return Stream.generate(parser::parseNext).takeWhile(Objects::nonNull).iterator();
  }

  private static Iterator<String[]> lines(
      RescuedReading reading, PartitionedFile file, CSVOptions options, CsvParser parser) {
    Iterator<String> lines =
        reading.lines(file, options.lineSeparatorInRead(), options.charset());
    Iterator<String> kept = CollectionConverters.asJava(CSVExprUtils.filterCommentAndEmpty(
        CollectionConverters.asScala(lines), options));
    return RescuedReading.stream(kept)
        .map(parser::parseLine)
        .filter(Objects::nonNull)
        .iterator();
  }

  /** The columns in the order of one file. */
  private static final class Columns {
    private final RescuedReading reading;
    private final String[] header;
    private final int[] places;
    private final Function1<String, Object>[] converters;
    private final String empty;

    @SuppressWarnings("unchecked")
    Columns(RescuedReading reading, String[] header, UnivocityParser parser) {
      empty = parser.options().nullValue();
      this.reading = reading;
      this.header = header;
      places = Arrays.stream(header).map(reading::column)
          .mapToInt(column -> column == null ? -1 : reading.typed().fieldIndex(column))
          .toArray();
      converters = Arrays.stream(reading.typed().fields())
          .map(field -> parser.makeConverter(field.name(), field.dataType(), true))
          .toArray(Function1[]::new);
    }

    Rescued record(String[] values) {
      Object[] typed = new Object[converters.length];
      ObjectNode rest = JsonNodeFactory.instance.objectNode();
      for (int i = 0; i < values.length; i++) {
        int place = i < places.length ? places[i] : -1;
        if (place < 0 || !fits(place, values[i], typed)) {
          rescue(i < header.length ? header[i] : "_c" + i, values[i], rest);
        }
      }
      return new Rescued(new GenericInternalRow(typed), rest, null);
    }

    private void rescue(String name, String value, ObjectNode rest) {
      if (value != null && !value.equals(empty) && !reading.ofFolders(name)) {
        rest.put(name, value);
      }
    }

    private boolean fits(int place, String value, Object[] typed) {
      try {
        typed[place] = converters[place].apply(value);
        return true;
      } catch (RuntimeException e) {
        return false;
      }
    }
  }
}
