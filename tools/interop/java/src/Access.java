import org.apache.rocketmq.acl.common.AclClientRPCHook;
import org.apache.rocketmq.acl.common.SessionCredentials;
import org.apache.rocketmq.remoting.RPCHook;

/** Signs as the environment says: SKUA_ACCESS_KEY and SKUA_SECRET_KEY; nothing without them. */
final class Access {
  private Access() {}

  static RPCHook hook() {
    String accessKey = System.getenv("SKUA_ACCESS_KEY");
    if (accessKey == null) return null;
    return new AclClientRPCHook(new SessionCredentials(accessKey, System.getenv("SKUA_SECRET_KEY")));
  }
}
