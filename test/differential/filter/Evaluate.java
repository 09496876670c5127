import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.Map;
import org.apache.rocketmq.common.filter.ExpressionType;
import org.apache.rocketmq.common.message.MessageDecoder;
import org.apache.rocketmq.filter.FilterFactory;
import org.apache.rocketmq.filter.expression.EvaluationContext;
import org.apache.rocketmq.filter.expression.Expression;

/**
 * What Apache's filter makes of expressions. Each line of the input is an expression and name=value pairs, TABs between;
 * \t, \n, \r, \f, \\ and \ uXXXX (without the blank) stand for characters. Each line of the output is one of: true, false,
 * null, failed (evaluation threw), invalid (it does not compile).
 */
public final class Evaluate {
    public static void main(String[] arguments) throws Exception {
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        PrintStream out = new PrintStream(System.out, false, StandardCharsets.UTF_8);
        for (String line = in.readLine(); line != null; line = in.readLine()) {
            String[] columns = line.split("\t", -1);
            StringBuilder properties = new StringBuilder();
            for (int i = 1; i < columns.length; i++) {
                String pair = unescaped(columns[i]);
                int split = pair.indexOf('=');
                properties.append(pair, 0, split).append((char) 1).append(pair.substring(split + 1)).append((char) 2);
            }
            out.println(result(unescaped(columns[0]), MessageDecoder.string2messageProperties(properties.toString())));
        }
        out.flush();
    }

    private static String result(String text, Map<String, String> properties) {
        Expression expression;
        try {
            expression = FilterFactory.INSTANCE.get(ExpressionType.SQL92).compile(text);
        } catch (Throwable e) {
            return "invalid";
        }
        try {
            return String.valueOf(expression.evaluate(new EvaluationContext() {
                @Override
                public Object get(String name) {
                    return properties.get(name);
                }

                @Override
                public Map<String, Object> keyValues() {
                    return new HashMap<>(properties);
                }
            }));
        } catch (Throwable e) {
            return "failed";
        }
    }

    private static String unescaped(String text) {
        StringBuilder plain = new StringBuilder();
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            if (c != '\\') {
                plain.append(c);
                continue;
            }
            char kind = text.charAt(++i);
            switch (kind) {
                case 't': plain.append('\t'); break;
                case 'n': plain.append('\n'); break;
                case 'r': plain.append('\r'); break;
                case 'f': plain.append('\f'); break;
                case 'u':
                    plain.append((char) Integer.parseInt(text.substring(i + 1, i + 5), 16));
                    i += 4;
                    break;
                default: plain.append(kind);
            }
        }
        return plain.toString();
    }

    private Evaluate() {
    }
}
