package laketop.engine;

import java.io.IOException;
import java.net.URI;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** Where an external volume lies: a folder of this machine, to which the volume's own is a link. */
final class Storage {
  /** The key of the location in a volume's entry; managed ones have none. */
  static final String LOCATION = "storage_location";

  private static final Set<String> SCHEMES = Set.of("", "file", "dbfs");
  private static final Map<String, String> TAKEN =
      Map.of("TABLE", "location", "VOLUME", LOCATION);

  /** A table or volume, its name, and the folder outside of managed storage that it has. */
  record External(String type, String object, Path folder) {}

  private Storage() {}

  /** Makes the folder, if it is not there, and a link to it. */
  static void link(String location, Path link) throws IOException {
    Path folder = free(location);
    make(location, folder);
    Files.createDirectories(link.getParent());
    Folders.discard(link);
    boolean inside = folder.startsWith(Lake.dbfs()); // which moves along with the state folder
    Files.createSymbolicLink(link, inside ? link.getParent().relativize(folder) : folder);
  }

  /** Returns the folder of a volume's files: what a link leads to, or the folder itself. */
  static Path behind(Path place) {
    try {
      return Files.isSymbolicLink(place)
          ? place.resolveSibling(Files.readSymbolicLink(place)).normalize()
          : place;
    } catch (IOException e) {
      throw Lake.sneak(e);
    }
  }

  private static void make(String location, Path folder) {
    try {
      Files.createDirectories(folder);
    } catch (AccessDeniedException e) {
      throw wrong(location, "can be no folder: permission denied");
    } catch (FileAlreadyExistsException e) {
      throw wrong(location, "can be no folder: a file is there");
    } catch (IOException e) {
      throw wrong(location, "can be no folder: it cannot be made");
    }
  }

  private static Path free(String location) throws IOException {
    Path folder = folder(location);
    Path real = PathAccess.real(folder);
    boolean managed = meet(real, PathAccess.real(Lake.root().getParent()));
    if (managed && !real.startsWith(PathAccess.real(Lake.dbfs()))) {
      throw overlap(location, "managed storage");
    }
    for (External taken : external()) {
      if (meet(real, taken.folder())) {
        throw overlap(location, taken.object());
      }
    }
    return folder;
  }

  /** Returns the external tables and volumes of all catalogs. */
  static List<External> external() {
    List<External> all = new ArrayList<>();
    for (Path catalog : Folders.list(Lake.root())) {
      for (Path schema : Files.isDirectory(catalog) ? Folders.list(catalog) : Set.<Path>of()) {
        String within = catalog.getFileName() + "." + schema.getFileName() + ".";
        TAKEN.forEach((type, key) -> {
          Path entries = schema.resolve("_" + Names.key(type) + "s");
          for (String name : JsonFiles.names(entries)) {
            String taken = JsonFiles.look(entries.resolve(name + ".json")).get(key);
            if (taken != null) {
              Path folder = PathAccess.real(VolumeFs.place(taken));
              all.add(new External(type, within + name, folder));
            }
          }
        });
      }
    }
    return all;
  }

  private static Path folder(String location) {
    URI written = written(location);
    String scheme = written.getScheme() == null ? "" : written.getScheme();
    String place = written.getPath();
    if (!SCHEMES.contains(scheme)) {
      throw Refusal.of("UNSUPPORTED_FEATURE", "There is no storage of " + scheme + " here: '"
          + location + "' is not a folder of this machine, file:/ or dbfs:/.");
    }
    if (!place.startsWith("/") || written.getAuthority() != null
        || Arrays.asList(location.split("/")).contains("..")) {
      throw wrong(location, "is not an absolute path");
    }
    if (place.equals("/Volumes") || place.startsWith("/Volumes/")) {
      throw overlap(location, "another volume");
    }
    return VolumeFs.place(location);
  }

  private static URI written(String location) {
    try {
      return new org.apache.hadoop.fs.Path(location).toUri();
    } catch (IllegalArgumentException e) {
      throw wrong(location, "is not an absolute path");
    }
  }

  private static RuntimeException wrong(String location, String why) {
    return Refusal.of("INVALID_PARAMETER_VALUE", "The location '" + location + "' " + why + ".");
  }

  private static boolean meet(Path one, Path other) {
    return one.startsWith(other) || other.startsWith(one);
  }

  private static RuntimeException overlap(String location, String other) {
    return Refusal.of("INVALID_PARAMETER_VALUE.LOCATION_OVERLAP", "Input path url '" + location
        + "' overlaps with other external tables or volumes. Conflicting tables/volumes: " + other
        + ".");
  }
}
