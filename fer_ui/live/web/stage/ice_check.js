// Find out before starting whether video can reach the server through the STUN and TURN servers of the settings.

const GATHER_WITHIN_MS = 4000;
const REFUSED = [401, 403, 437, 441, 486]; // of TURN (RFC 8656): not authorized, forbidden, mismatch, wrong, quota

/** Whether a TURN server has refused the user name or password. @param {Event} event "icecandidateerror" */
export const isRefusal = (event) =>
  REFUSED.includes(/** @type {RTCPeerConnectionIceErrorEvent} */ (event).errorCode);

/** Gather candidates once.
 * @param {RTCIceServer[]} servers
 * @returns {Promise<string>} "" if a relay was found or none is needed, "turn_refused" or "turn_unreachable" */
export async function checkServers(servers) {
  const urls = servers.flatMap(({ urls: each }) => each);
  if (!urls.some((url) => url.startsWith("turn"))) return "";
  const connection = new RTCPeerConnection({ iceServers: servers });
  try {
    return await new Promise((resolve) => {
      let refused = false;
      const finish = () => resolve(refused ? "turn_refused" : "turn_unreachable");
      setTimeout(finish, GATHER_WITHIN_MS);
      connection.addEventListener("icecandidateerror", (event) => (refused ||= isRefusal(event)));
      connection.addEventListener("icecandidate", ({ candidate }) => {
        if (candidate?.type === "relay") resolve("");
        else if (!candidate) finish();
      });
      connection.createDataChannel("check");
      connection.createOffer().then((offer) => connection.setLocalDescription(offer));
    });
  } finally {
    connection.close();
  }
}
