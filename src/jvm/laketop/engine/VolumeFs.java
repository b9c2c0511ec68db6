package laketop.engine;

import java.io.File;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.OutputStream;
import java.net.URI;
import java.net.URISyntaxException;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.attribute.PosixFilePermissions;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.DelegateToFileSystem;
import org.apache.hadoop.fs.FileStatus;
import org.apache.hadoop.fs.LocalFileSystem;
import org.apache.hadoop.fs.Path;
import org.apache.hadoop.fs.RawLocalFileSystem;
import org.apache.hadoop.fs.permission.FsPermission;

/** The local file system, in which /Volumes/c/s/v/x lies in the lake at c/s/_files/v/x. */
public final class VolumeFs extends LocalFileSystem {
  private static final String PREFIX = "/Volumes/";
  private static final int CATALOG = 2;
  private static final int SCHEMA = 3;
  private static final int VOLUME = 4;
  private static final int REST = 5;

  public VolumeFs() {
    super(new Raw());
  }

  /** Returns where the path lies; refuses one in a volume that is not there. */
  static File real(File asked) {
    File file = Moves.now(asked);
    String path = file.getPath();
    if (Samples.holds(path)) {
      return Samples.place(path).toFile();
    }
    if (!path.startsWith(PREFIX) || file.toPath().startsWith(Lake.root())) {
      return file;
    }
    String[] parts = path.split("/", REST + 1);
    if (!Files.isDirectory(Lake.root().resolve(Names.key(parts[CATALOG])))) {
      return elsewhere(file, parts[CATALOG]);
    }
    if (parts.length <= SCHEMA) {
      throw missing("a path in a volume begins with /Volumes/catalog/schema/volume, not " + path);
    }
    java.nio.file.Path schema =
        Lake.root().resolve(Names.key(parts[CATALOG])).resolve(Names.key(parts[SCHEMA]));
    if (parts.length <= VOLUME) {
      return schema.resolve("_files").toFile();
    }
    String volume = Names.key(parts[VOLUME]);
    if (!Files.exists(schema.resolve("_volumes").resolve(volume + ".json"))) {
      throw missing("the volume " + String.join(".", parts[CATALOG], parts[SCHEMA], parts[VOLUME])
          + " does not exist");
    }
    java.nio.file.Path place = Storage.behind(schema.resolve("_files").resolve(volume));
    return parts.length > REST ? place.resolve(parts[REST]).toFile() : place.toFile();
  }

  /** Returns the folder of a location of the schemes file and dbfs, or of none. */
  static java.nio.file.Path place(String location) {
    Path path = new Path(location);
    String place = path.toUri().getPath();
    boolean dbfs = "dbfs".equals(path.toUri().getScheme()) && !place.startsWith(PREFIX);
    return dbfs ? Lake.dbfs().resolve(place.substring(1)) : inLake(place);
  }

  /** Returns where a path lies, perhaps in a volume that is not there any more. */
  private static java.nio.file.Path inLake(String place) {
    String[] parts = place.split("/", REST + 1);
    return place.startsWith(PREFIX) && parts.length > REST
        ? Lake.files(new String[] {parts[CATALOG], parts[SCHEMA], parts[VOLUME]}).resolve(parts[REST])
        : java.nio.file.Path.of(Moves.now(place));
  }

  /** On a Mac, /Volumes is also where disks are. */
  private static File elsewhere(File file, String name) {
    if (new File(PREFIX + name).exists()) {
      return file;
    }
    throw missing("the catalog " + name + " of " + file + " does not exist");
  }

  private static RuntimeException missing(String sentence) {
    return Lake.sneak(new FileNotFoundException(sentence));
  }

  /** Files by their path, the paths of volumes put back into what is listed. */
  static class Raw extends RawLocalFileSystem {
    @Override
    public File pathToFile(Path path) {
      return real(super.pathToFile(path));
    }

    boolean mapped(Path path) {
      String place = path.toUri().getPath();
      return place.startsWith(PREFIX) || Samples.holds(place) || Moves.moved(place);
    }

    @Override
    public boolean mkdirs(Path path) throws IOException {
      requireWritable(path);
      return super.mkdirs(path);
    }

    @Override
    protected OutputStream createOutputStreamWithMode(
        Path path, boolean append, FsPermission permission) throws IOException {
      requireWritable(path);
      return super.createOutputStreamWithMode(path, append, permission);
    }

    /** Only empties a volume: that it is there, and where, is for statements about it. */
    @Override
    public boolean delete(Path path, boolean recursive) throws IOException {
      if (!isVolume(path)) {
        return super.delete(path, recursive);
      }
      if (!recursive) {
        throw new AccessDeniedException(path + " is a volume, which DROP VOLUME removes");
      }
      for (FileStatus inside : listStatus(path)) {
        super.delete(inside.getPath(), true);
      }
      return true;
    }

    @Override
    public boolean rename(Path from, Path to) throws IOException {
      if (isVolume(from)) {
        throw new AccessDeniedException(from + " is a volume, which ALTER VOLUME renames");
      }
      return super.rename(from, to);
    }

    private boolean isVolume(Path path) {
      String place = path.toUri().getPath();
      return place.startsWith(PREFIX) && place.split("/").length == REST
          && !pathToFile(path).getPath().equals(place);
    }

    private static void requireWritable(Path path) throws IOException {
      if (Samples.holds(path.toUri().getPath())) {
        throw new AccessDeniedException(path + " is read-only, as all of " + Samples.FOLDER);
      }
    }

    @Override
    public FileStatus getFileStatus(Path path) throws IOException {
      FileStatus status = super.getFileStatus(path);
      return mapped(path) ? as(status, path) : status;
    }

    /** Hadoop starts the program readlink for each file, though hardly one is a link. */
    @Override
    public FileStatus getFileLinkStatus(Path path) throws IOException {
      return mapped(path) || !Files.isSymbolicLink(pathToFile(path).toPath())
          ? getFileStatus(path)
          : super.getFileLinkStatus(path);
    }

    /** Hadoop starts the program chmod for each file that is made. */
    @Override
    public void setPermission(Path path, FsPermission permission) throws IOException {
      if (permission.getStickyBit()) {
        super.setPermission(path, permission);
        return;
      }
      Files.setPosixFilePermissions(
          pathToFile(path).toPath(),
          PosixFilePermissions.fromString(permission.getUserAction().SYMBOL
              + permission.getGroupAction().SYMBOL + permission.getOtherAction().SYMBOL));
    }

    @Override
    public FileStatus[] listStatus(Path path) throws IOException {
      FileStatus[] all = super.listStatus(path);
      if (mapped(path)) {
        boolean folder = pathToFile(path).isDirectory();
        for (int i = 0; i < all.length; i++) {
          all[i] = as(all[i], folder ? new Path(path, all[i].getPath().getName()) : path);
        }
      }
      return all;
    }

    private FileStatus as(FileStatus status, Path path) {
      return new FileStatus(status.getLen(), status.isDirectory(), 1, status.getBlockSize(),
          status.getModificationTime(), path.makeQualified(getUri(), getWorkingDirectory()));
    }
  }

  /** The same for those who rename through FileContext: Delta's log and streaming checkpoints. */
  public static final class Context extends DelegateToFileSystem {
    public Context(URI uri, Configuration conf) throws IOException, URISyntaxException {
      super(URI.create("file:///"), new VolumeFs(), conf, "file", false);
    }

    @Override
    public int getUriDefaultPort() {
      return -1;
    }
  }

  /** dbfs:/Volumes/... likewise, and dbfs:/x in the state's folder dbfs. */
  public static final class Dbfs extends Raw {
    @Override
    public URI getUri() {
      return URI.create("dbfs:///");
    }

    @Override
    public String getScheme() {
      return "dbfs";
    }

    @Override
    boolean mapped(Path path) {
      return true;
    }

    @Override
    public File pathToFile(Path path) {
      String place = path.toUri().getPath();
      return place.startsWith(PREFIX) || Samples.holds(place)
          ? real(new File(place))
          : inside(new File(Lake.dbfs().toFile(), place));
    }

    /** A path keeps the dots that lead out of its root: dbfs:/../x. */
    private static File inside(File file) {
      if (!file.toPath().normalize().startsWith(Lake.dbfs())) {
        throw missing("no file of dbfs:/ is at " + file);
      }
      return file;
    }
  }

  /** FileContext's side of dbfs. */
  public static final class DbfsContext extends DelegateToFileSystem {
    public DbfsContext(URI uri, Configuration conf) throws IOException, URISyntaxException {
      super(URI.create("dbfs:///"), new Dbfs(), conf, "dbfs", false);
    }

    @Override
    public int getUriDefaultPort() {
      return -1;
    }
  }
}
