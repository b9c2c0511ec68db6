package laketop.engine;

import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.function.Supplier;
import org.apache.hadoop.fs.FSDataInputStream;
import org.apache.hadoop.fs.FSDataOutputStream;
import org.apache.hadoop.fs.FileStatus;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;
import org.apache.spark.sql.classic.SparkSession;
import org.apache.spark.sql.types.DataType;
import org.apache.spark.sql.types.StructField;
import org.apache.spark.sql.types.StructType;

/** The schemas that a stream had so far: {@code <schemaLocation>/_schemas/0}, 1, 2 ... */
final class AutoLoaderSchemas {
  private final FileSystem files;
  private final Path folder;
  private final String mode;

  AutoLoaderSchemas(SparkSession session, String place, String mode) {
    folder = new Path(place, "_schemas");
    this.mode = mode;
    try {
      files = folder.getFileSystem(session.sessionState().newHadoopConf());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Returns the last schema, to which columns that are new are added where the mode adds them. */
  StructType grown(Supplier<StructType> inferred) {
    try {
      int last = last();
      if (last < 0) {
        StructType first = inferred.get();
        write(0, first);
        return first;
      }
      StructType known = read(last);
      if (stays(mode)) {
        return known;
      }
      StructType grown = joined(known, inferred.get());
      if (grown.size() > known.size()) {
        if (mode.equals("failonnewcolumns")) {
          throw unknown(Arrays.stream(grown.fieldNames()).skip(known.size()).toList());
        }
        write(last + 1, grown);
      }
      return grown;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Returns whether the mode keeps the first schema, whatever columns come. */
  static boolean stays(String mode) {
    return mode.equals("none") || mode.equals("rescue");
  }

  static RuntimeException unknown(List<String> columns) {
    return AutoLoader.error("UNKNOWN_FIELD_EXCEPTION.NEW_FIELDS_IN_FILE",
        "Encountered unknown fields during parsing: " + columns
            + ". With cloudFiles.schemaEvolutionMode = addNewColumns the stream has them when it is"
            + " started again.");
  }

  private static StructType joined(StructType known, StructType found) {
    StructType all = known;
    for (StructField field : found.fields()) {
      boolean there = Arrays.stream(known.fieldNames()).anyMatch(field.name()::equalsIgnoreCase);
      all = there ? all : all.add(field);
    }
    return all;
  }

  private int last() throws IOException {
    try {
      return Arrays.stream(files.listStatus(folder))
          .map(FileStatus::getPath)
          .map(Path::getName)
          .filter(name -> name.matches("\\d+"))
          .map(Integer::valueOf)
          .max(Comparator.naturalOrder())
          .orElse(-1);
    } catch (FileNotFoundException e) {
      return -1;
    }
  }

  private StructType read(int number) throws IOException {
    try (FSDataInputStream in = files.open(new Path(folder, "" + number))) {
      String text = new String(in.readAllBytes(), StandardCharsets.UTF_8);
      return (StructType) DataType.fromJson(text);
    }
  }

  private void write(int number, StructType schema) throws IOException {
    Path part = new Path(folder, "." + number + ".tmp");
    try (FSDataOutputStream out = files.create(part, true)) {
      out.write(schema.json().getBytes(StandardCharsets.UTF_8));
    }
    files.rename(part, new Path(folder, "" + number));
  }
}
