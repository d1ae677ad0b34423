/**
 * The elements that the page is made of.
 * @param {ParentNode} page
 */
export function partsOf(page) {
  const find = (/** @type {string} */ tag) => /** @type {unknown} */ (page.querySelector(tag));
  return {
    status: /** @type {import('./ag_status.js').AgStatus} */ (find('ag-status')),
    lobby: /** @type {import('./ag_lobby.js').AgLobby} */ (find('ag-lobby')),
    room: /** @type {import('../desk/ag_room.js').AgRoom} */ (find('ag-room')),
    microphone: /** @type {import('./ag_microphone.js').AgMicrophone} */ (find('ag-microphone')),
    speaker: /** @type {import('./ag_speaker.js').AgSpeaker} */ (find('ag-speaker')),
    figures: /** @type {import('./ag_figures.js').AgFigures} */ (find('ag-figures')),
    scenes: /** @type {import('../desk/ag_scenes.js').AgScenes} */ (find('ag-scenes')),
    network: /** @type {import('../desk/ag_network.js').AgNetwork} */ (find('ag-network')),
    door: /** @type {import('../host/ag_door.js').AgDoor} */ (find('ag-door')),
    session: /** @type {import('../session/ag_session.js').AgSession} */ (find('ag-session')),
    surface: /** @type {import('../midi/ag_surface.js').AgSurface} */ (find('ag-surface')),
    dock: /** @type {import('./ag_dock.js').AgDock} */ (find('ag-dock')),
  };
}
