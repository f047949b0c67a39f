/*
 * Main.java - binds mongo-java-server to a free port of 127.0.0.1, or of the
 * address in the environment variable MONGO_BIND.
 *
 * Arguments: the file to write "port pid" to, and for data that outlives the
 * process the path of an H2 database (else everything is in memory).  Ends
 * when the file is removed, so that no server outlives its test.
 */
import de.bwaldvogel.mongo.MongoBackend;
import de.bwaldvogel.mongo.MongoServer;
import de.bwaldvogel.mongo.backend.h2.H2Backend;
import de.bwaldvogel.mongo.backend.memory.MemoryBackend;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;

public class Main {
	public static void main(String[] args) throws Exception {
		MongoBackend backend = args.length > 1
			? new H2Backend(args[1]) : new MemoryBackend();
		MongoServer server = new MongoServer(backend);
		try {
			String host = System.getenv()
				.getOrDefault("MONGO_BIND", "127.0.0.1");
			server.bind(host, 0);
			tell(Path.of(args[0]), server.getLocalAddress().getPort());
			while (Files.exists(Path.of(args[0])))
				Thread.sleep(500);
		} finally {
			server.shutdown();
		}
	}

	/* Whoever waits for the file sees it whole. */
	private static void tell(Path file, int port) throws Exception {
		Path tmp = Path.of(file + ".new");
		Files.writeString(tmp, port + " "
			+ ProcessHandle.current().pid() + "\n");
		Files.move(tmp, file, StandardCopyOption.ATOMIC_MOVE);
	}
}
