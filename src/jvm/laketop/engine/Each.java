package laketop.engine;

import java.util.function.UnaryOperator;
import scala.Function1;
import scala.runtime.AbstractPartialFunction;

/** A function of Java where Scala wants a partial one. */
final class Each<T> extends AbstractPartialFunction<T, T> {
  private final UnaryOperator<T> change;

  Each(UnaryOperator<T> change) {
    this.change = change;
  }

  @Override
  public boolean isDefinedAt(T value) {
    return true;
  }

  @Override
  @SuppressWarnings("unchecked")
  public <A extends T, B> B applyOrElse(A value, Function1<A, B> otherwise) {
    return (B) change.apply(value);
  }
}
