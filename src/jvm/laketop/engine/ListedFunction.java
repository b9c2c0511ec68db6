package laketop.engine;

import org.apache.spark.sql.connector.catalog.functions.BoundFunction;
import org.apache.spark.sql.connector.catalog.functions.UnboundFunction;
import org.apache.spark.sql.types.StructType;

/** A SQL function as lists of functions tell it; calls of it are resolved by a rule before. */
public record ListedFunction(String name, String description) implements UnboundFunction {
  @Override
  public BoundFunction bind(StructType types) {
    throw new UnsupportedOperationException(name + " is a function of SQL");
  }
}
