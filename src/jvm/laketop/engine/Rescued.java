package laketop.engine;

import com.fasterxml.jackson.databind.node.ObjectNode;
import org.apache.spark.sql.catalyst.InternalRow;

/** A record of a file: what fits the schema, what does not, and its text where it is malformed. */
record Rescued(InternalRow row, ObjectNode rest, String malformed) {}
