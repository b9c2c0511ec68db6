package laketop.engine;

import org.apache.spark.QueryContext;
import org.apache.spark.sql.AnalysisException;
import scala.Option;
import scala.collection.immutable.Map$;

/** An error for the user, in one sentence behind its condition; clients see AnalysisException. */
final class Refusal extends AnalysisException {
  private Refusal(String condition, String sentence) {
    super("[" + condition + "] " + sentence, Option.empty(), Option.empty(), Option.empty(),
        Option.apply(condition), Map$.MODULE$.empty(), new QueryContext[0]);
  }

  /** Throws the refusal; declared to return one so that a caller can write {@code throw}. */
  static RuntimeException of(String condition, String sentence) {
    return Lake.sneak(new Refusal(condition, sentence));
  }

  static RuntimeException missing(String condition, String kind, String... name) {
    return of(condition, "The " + kind + " `" + String.join("`.`", name) + "` cannot be found.");
  }

  static RuntimeException taken(String condition, String kind, String... name) {
    return of(condition, "The " + kind + " `" + String.join("`.`", name) + "` already exists.");
  }
}
