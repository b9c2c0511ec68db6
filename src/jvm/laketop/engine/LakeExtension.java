package laketop.engine;

import org.apache.spark.sql.SparkSessionExtensions;
import org.apache.spark.sql.classic.SparkSession;
import scala.runtime.AbstractFunction1;
import scala.runtime.BoxedUnit;

/** Puts the parser and the rules of laketop into every session. */
public final class LakeExtension extends AbstractFunction1<SparkSessionExtensions, BoxedUnit> {
  @Override
  public BoxedUnit apply(SparkSessionExtensions extensions) {
    extensions.injectParser((session, inner) -> new EngineParser((SparkSession) session, inner));
    extensions.injectHintResolutionRule(session -> new FunctionRule((SparkSession) session));
    extensions.injectPlannerStrategy(session -> new ShownExplain((SparkSession) session));
    extensions.injectColumnar(session -> new LogReplay());
    Builtins.all().forEach(function -> SparkApi.inject(extensions, function));
    extensions.injectCheckRule(session -> SessionCatalogRule.of());
    extensions.injectCheckRule(session -> AccessRule.of((SparkSession) session));
    extensions.injectCheckRule(session -> PolicyRule.changes());
    extensions.injectCheckRule(session -> PolicyWrites.of((SparkSession) session));
    return BoxedUnit.UNIT;
  }
}
