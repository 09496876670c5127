package tern.clients;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.List;

/** Asks the harness to do things to the daemons. Each call returns when the thing has happened. */
final class Control {
    static List<String> daemons() throws IOException {
        return List.of(ask("list").split(" "));
    }

    /** An orderly stop. */
    static void stop(String daemon) throws IOException {
        assertEquals("", ask("stop " + daemon));
    }

    /** A start in place; until all that run know each other. */
    static void start(String daemon) throws IOException {
        assertEquals("", ask("start " + daemon));
    }

    /** An orderly stop, and a start in place. */
    static void restart(String daemon) throws IOException {
        assertEquals("", ask("restart " + daemon));
    }

    /** kill -9, and a start in place. */
    static void crash(String daemon) throws IOException {
        assertEquals("", ask("crash " + daemon));
    }

    private static String ask(String request) throws IOException {
        int colon = Env.CONTROL.lastIndexOf(':');
        if (colon < 0) {
            throw new IOException("no control address: this test needs the harness");
        }
        try (Socket socket = new Socket(Env.CONTROL.substring(0, colon), Integer.parseInt(Env.CONTROL.substring(colon + 1)))) {
            socket.getOutputStream().write((request.trim() + "\n").getBytes(StandardCharsets.UTF_8));
            String answer = new BufferedReader(new InputStreamReader(socket.getInputStream(), StandardCharsets.UTF_8)).readLine();
            if (answer == null || !answer.startsWith("ok")) {
                throw new IOException(request + ": " + answer);
            }
            return answer.substring("ok".length()).trim();
        }
    }

    private Control() {
    }
}
