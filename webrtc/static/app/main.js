/** Entry of the page: defines its elements. */

import '../webrtc_client.js';
import { AgMeter } from './desk/ag_meter.js';
import { AgFader } from './desk/ag_fader.js';
import { AgKnob } from './desk/ag_knob.js';
import { AgStudio } from './studio/ag_studio.js';
import { AgDoor } from './host/ag_door.js';
import { AgStatus } from './elements/ag_status.js';
import { AgLobby } from './elements/ag_lobby.js';
import { AgMaster } from './desk/ag_master.js';
import { AgRoom } from './desk/ag_room.js';
import { AgScenes } from './desk/ag_scenes.js';
import { AgRooms } from './elements/ag_rooms.js';
import { AgRules } from './elements/ag_rules.js';
import { AgMicrophone } from './elements/ag_microphone.js';
import { AgSpeaker } from './elements/ag_speaker.js';
import { AgFigures } from './elements/ag_figures.js';
import { AgDock } from './elements/ag_dock.js';
import { AgApp } from './elements/ag_app.js';

customElements.define('ag-meter', AgMeter);
customElements.define('ag-fader', AgFader);
customElements.define('ag-knob', AgKnob);
customElements.define('ag-studio', AgStudio);
customElements.define('ag-status', AgStatus);
customElements.define('ag-lobby', AgLobby);
customElements.define('ag-rules', AgRules);
customElements.define('ag-master', AgMaster);
customElements.define('ag-room', AgRoom);
customElements.define('ag-scenes', AgScenes);
customElements.define('ag-door', AgDoor);
customElements.define('ag-rooms', AgRooms);
customElements.define('ag-microphone', AgMicrophone);
customElements.define('ag-speaker', AgSpeaker);
customElements.define('ag-figures', AgFigures);
customElements.define('ag-dock', AgDock);
customElements.define('ag-app', AgApp);
