package laketop.engine;

/**
 * A constraint that a statement gives a table.
 *
 * @param text the constraint in SQL, behind its name
 * @param check the condition of a CHECK; null for a key, which is kept and not enforced
 */
public record TableConstraint(String name, String text, String check) {}
