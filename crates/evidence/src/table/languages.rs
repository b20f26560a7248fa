//! Heads of asset registers and SIM portals in German, French, Spanish, Italian, Portuguese, Dutch and Polish: general
//! vocabulary, beside the one word per field that [`field`](super::field) has.
//!
//! What a language abbreviates is not repeated here: a word that begins with *numéro*, *número*, *numero* or *numer*
//! is known with *N°*, *Nº*, *No.*, *Nr.*, *Nro.* and *Num.* too, one that ends in *nummer* with *Nr.*, and one with an
//! umlaut with two letters for it.

use super::Witness;
use super::field::Field;

/// More words for fields.
pub(super) const MORE: &[(Field, &str)] = &[
    (
        Field::Iccid,
        "numéro de carte sim, numéro de la carte sim, numéro carte sim, numéro de la sim, numéro de carte, número de la sim, número de la tarjeta sim, \
         número tarjeta sim, número de tarjeta, numero scheda sim, numero della scheda sim, numero della sim, numero carta sim, carta sim, seriale sim, \
         número do cartão sim, número cartão sim, número de cartão sim, nummer simkaart, sim nummer, simnummer, karta sim, numer karty sim, numer sim, \
         numer karty",
    ),
    (
        Field::Msisdn,
        "mobilrufnummer, mobiltelefonnummer, sim rufnummer, anschlussnummer, teilnehmernummer, numéro de mobile, numéro mobile, numéro de ligne, \
         numéro de la ligne, numéro téléphone, numéro de tel, numéro d'abonné, ligne mobile, téléphone mobile, número de línea, número de la línea, \
         número telefónico, número móvil, número de móvil, número teléfono, teléfono móvil, línea móvil, número celular, número de celular, celular, \
         numero telefonico, numero telefono, numero di cellulare, numero cellulare, numero di linea, numero linea, utenza, numero utenza, cellulare, \
         número de telemóvel, telemóvel, número da linha, número de linha, número do telefone, número telefone, telefone móvel, mobiele nummer, \
         mobiel telefoonnummer, mobiel, telefoon, numer telefonu, numer abonenta, numer komórkowy, telefon komórkowy",
    ),
    (Field::Mac, "adres mac, adresse matérielle, dirección física, indirizzo fisico, endereço físico, adres fizyczny"),
    (
        Field::Serial,
        "geräteseriennummer, fabrikationsnummer, werknummer, numéro série, numéro de série de l'équipement, numéro de série de l'appareil, \
         numéro de série du matériel, numéro de fabrication, número serie, número de serie del equipo, número de serie del dispositivo, \
         número de fabricación, numero seriale, seriale, numero di matricola, numero matricola, numero serie, número serial, número de série do equipamento, \
         serie nummer, fabrieksnummer, numer seryjny, numer fabryczny",
    ),
    (
        Field::AssetId,
        "assetnummer, asset nummer, inventar id, anlagenkennzeichen, betriebsmittelkennzeichen, numéro d'immobilisation, code immobilisation, \
         code inventaire, référence inventaire, numéro inventaire, identifiant de l'actif, identifiant actif, code actif, numéro actif, numéro de parc, \
         étiquette d'inventaire, código de inventario, número inventario, etiqueta de activo, id de activo, id activo, código activo, código patrimonial, \
         codice cespite, numero cespite, codice inventario, codice asset, número de inventário, código de inventário, número patrimonial, \
         número do patrimônio, número do património, património, etiqueta patrimonial, tombamento, inventaris nummer, activumnummer, \
         bedrijfsmiddelnummer, numer inwentarzowy, numer ewidencyjny, numer środka trwałego",
    ),
    (
        Field::Name,
        "benennung, anlagenname, anlagenbezeichnung, routername, rechnername, computername, anzeigename, name des geräts, nom de l'équipement, \
         nom équipement, nom appareil, nom du matériel, nom matériel, nom du dispositif, nom du terminal, nom du boîtier, nom du routeur, nom du poste, \
         nom de la machine, nom machine, nom de l'actif, nom de l'hôte, nom hôte, nom d'affichage, nom de la sim, désignation, libellé, intitulé, \
         nombre del equipo, nombre de equipo, nombre equipo, nombre de dispositivo, nombre dispositivo, nombre de host, nombre del host, nombre del activo, \
         nombre del router, nombre de la máquina, denominación, nome apparato, nome dell'apparato, nome apparecchio, nome del router, nome router, nome host, \
         nome computer, nome visualizzato, nome asset, denominazione, nome do equipamento, nome equipamento, nome do aparelho, nome do host, nome do ativo, \
         nome do roteador, denominação, designação, apparaat naam, naam apparaat, hostnaam, computernaam, weergavenaam, nazwa, nazwa urządzenia, nazwa sprzętu, \
         nazwa hosta, nazwa wyświetlana",
    ),
    (
        Field::Vin,
        "fahrgestell nummer, fahrzeugidentifizierungsnummer, numéro d'identification du véhicule, numéro châssis, número de chasis, \
         número de identificación del vehículo, numero telaio, telaio, chassi, número de chassi, numer vin, numer nadwozia",
    ),
    (Field::Ip, "adres ip, dirección ip fija, adresse ip fixe, indirizzo ip statico, endereço ip fixo"),
    (
        Field::Site,
        "aufstellort, aufstellungsort, montageort, einsatzort, installationsort, gebäude, niederlassung, filiale, liegenschaft, localisation, \
         site d'installation, lieu d'installation, implantation, bâtiment, agence, localización, lugar de instalación, lugar, edificio, planta, \
         luogo di installazione, luogo installazione, stabilimento, località, impianto, local de instalação, local da instalação, sítio, edifício, prédio, \
         plaats, gebouw, installatielocatie, lokalizacja, miejsce, miejsce instalacji, obiekt, budynek, oddział",
    ),
    (
        Field::Maker,
        "herstellername, produzent, nom du fabricant, fabricant de l'équipement, fabricant de l'appareil, fabricant du terminal, \
         constructeur de l'équipement, marque de l'équipement, marque de l'appareil, fabricante del equipo, fabricante del dispositivo, marca del equipo, \
         marca del dispositivo, nombre del fabricante, fabbricante, casa produttrice, produttore dispositivo, marca dispositivo, fabricante do equipamento, \
         fabricante do dispositivo, marca do equipamento, producent, merknaam, marka, wytwórca, nazwa producenta, producent urządzenia",
    ),
    (
        Field::Model,
        "modellname, modellnummer, produktname, produktbezeichnung, modèle de l'équipement, modèle équipement, modèle de l'appareil, modèle appareil, \
         modèle du terminal, modèle du matériel, nom du modèle, numéro de modèle, référence produit, référence modèle, modelo del equipo, modelo de equipo, \
         modelo equipo, modelo del dispositivo, modelo de dispositivo, modelo dispositivo, nombre del modelo, número de modelo, modello dispositivo, \
         modello del dispositivo, modello apparato, nome modello, numero modello, modelo do equipamento, modelo equipamento, modelo do dispositivo, \
         modelo do aparelho, nome do modelo, número do modelo, typeaanduiding, model apparaat, model urządzenia, model sprzętu, nazwa modelu, numer modelu",
    ),
    (
        Field::ModuleModel,
        "module gsm, modem gsm, modem 4g, modem lte, module 4g, module lte, modem 5g, módulo gsm, módulo lte, modulo gsm, modulo lte, módulo 4g, gsm modul, \
         lte modul, gsm modem, lte modem, 4g modem, 5g modem, moduł, moduł gsm, moduł lte, moduł komórkowy, mobiele module",
    ),
    (
        Field::Firmware,
        "softwareversion, version du micrologiciel, version micrologiciel, version logiciel, version du logiciel, versión firmware, versión de software, \
         versión del software, versión software, versione del firmware, versione software, versione del software, versão firmware, versão de firmware, \
         versão do software, versão de software, softwareversie, wersja oprogramowania, wersja firmware, wersja firmware'u, oprogramowanie układowe",
    ),
    (
        Field::DeviceClass,
        "gerätekategorie, anlagentyp, anlagenklasse, anlagenart, assettyp, klasse, type de matériel, type matériel, type de terminal, type équipement, \
         type appareil, famille, classe, tipo de activo, tipo de terminal, tipo equipo, clase, tipologia, tipo apparato, tipo de ativo, tipo equipamento, \
         type apparaat, soort apparaat, typ urządzenia, typ sprzętu, rodzaj, rodzaj urządzenia, kategoria, klasa",
    ),
    (
        Field::LastSeen,
        "letzte kommunikation, letzte synchronisation, letzte synchronisierung, letzte sitzung, letzte nutzung, letzte einbuchung, zuletzt aktiv, \
         zuletzt verbunden, dernière communication, dernière session, dernière utilisation, dernière synchronisation, date de dernière connexion, \
         date dernière connexion, date de dernière communication, vu pour la dernière fois, última comunicación, última sesión, última sincronización, \
         fecha de última conexión, fecha última conexión, visto por última vez, ultima comunicazione, ultima attività, ultima sessione, ultimo accesso, \
         ultima sincronizzazione, data ultima connessione, última comunicação, última atividade, última sessão, último acesso, última sincronização, \
         visto por último, laatste sessie, laatste communicatie, laatst actief, laatste activiteit, laatste synchronisatie, ostatnie połączenie, \
         ostatnia aktywność, ostatnio widziany, ostatni kontakt, ostatnia sesja, ostatnia komunikacja, ostatnia synchronizacja",
    ),
    (
        Field::Text,
        "anmerkung, anmerkungen, notiz, notizen, hinweis, kommentare, observations, commentaires, détails, notas, comentario, observación, commenti, \
         commento, comentário, comentários, detalhes, omschrijving, notities, opis, uwagi, komentarz, notatki",
    ),
];

/// More heads that say what kind of table this is.
pub(super) const MORE_HINTS: &[(Witness, &str)] = &[
    (
        Witness::Platform,
        "kartenstatus, datenverbrauch, rahmenvertrag, état de la sim, statut de la sim, statut sim, consommation, consommation data, volume de données, \
         forfait data, tarifa, consumo de datos, estado de la sim, estado sim, piano dati, consumo dati, stato sim, plano de dados, consumo de dados, \
         estado do sim, dataverbruik, simstatus, databundel, taryfa, plan taryfowy, zużycie danych, abonament, status karty",
    ),
    (
        Witness::Register,
        "zugewiesen an, kaufdatum, anschaffung, nutzungsdauer, inbetriebnahmedatum, garantieende, utilisateur, affecté à, date d'acquisition, \
         date de mise en service, mise en service, fin de garantie, centre de coût, asignado a, usuario, fecha de adquisición, garantía, assegnato a, utente, \
         data di acquisto, data acquisto, garanzia, centro di costo, responsabile, atribuído a, usuário, utilizador, data de aquisição, data de compra, \
         garantia, responsável, centro de custo, aankoopdatum, toegewezen aan, gebruiker, verantwoordelijke, właściciel, dział, użytkownik, data zakupu, \
         gwarancja, osoba odpowiedzialna",
    ),
    (
        Witness::OwnWord,
        "signalqualität, feldstärke, empfangsstärke, niveau de signal, niveau du signal, force du signal, qualité du signal, nivel de señal, calidad de señal, \
         livello segnale, livello del segnale, qualità del segnale, intensidade do sinal, nível de sinal, signaalsterkte, siła sygnału, poziom sygnału",
    ),
];

/// The other spellings of a word of those lists, before it is folded.
pub(super) fn spellings(word: &str) -> Vec<String> {
    let word = word.trim();
    let mut out = vec![word.to_owned()];
    for long in ["numéro", "número", "numero", "numer"] {
        if let Some(rest) = word.strip_prefix(long).filter(|rest| rest.starts_with(' ')) {
            out.extend(["n", "no", "nr", "nro", "num"].iter().map(|short| format!("{short}{rest}")));
        }
    }
    if let Some(stem) = word.strip_suffix("nummer").filter(|stem| !stem.is_empty()) {
        out.push(format!("{stem}nr"));
    }
    if word.contains(['ä', 'ö', 'ü']) {
        let two = |w: &String| w.replace('ä', "ae").replace('ö', "oe").replace('ü', "ue");
        out.extend(out.clone().iter().map(two));
    }
    out
}
