// Not MongoDB, but a server of its own that speaks its protocol: mongo-java-server, which keeps what it has in an H2 file.
// `mvn -q dependency:copy-dependencies -DoutputDirectory=lib` here fetches it; `java -cp 'lib/*' Server.java <port> <file>`.
import de.bwaldvogel.mongo.MongoServer;
import de.bwaldvogel.mongo.MongoVersion;
import de.bwaldvogel.mongo.backend.h2.H2Backend;
import java.util.List;

class Server {
    public static void main(String[] arguments) {
        var backend = new H2Backend(arguments[1]);
        backend.version(new Version());
        var server = new MongoServer(backend);
        server.bind("127.0.0.1", Integer.parseInt(arguments[0]));
        Runtime.getRuntime().addShutdownHook(new Thread(server::shutdownNow));
    }

    /** As new as the driver asks for. What a session store needs has been there since long before. */
    static class Version implements MongoVersion {
        public List<Integer> getVersionArray() {
            return List.of(5, 0, 0);
        }

        public int getWireVersion() {
            return 13;
        }
    }
}
