"""Small files as other systems write them; the rows are ours, the forms are theirs."""

import io
import json
import zipfile

import openpyxl

HOMEBOX_OLD = (
    "HB.import_ref,HB.location,HB.labels,HB.asset_id,HB.archived,HB.name,HB.quantity,"
    "HB.description,HB.insured,HB.notes,HB.purchase_price,HB.purchase_from,HB.purchase_time,"
    "HB.manufacturer,HB.model_number,HB.serial_number,HB.lifetime_warranty,HB.warranty_expires,"
    "HB.warranty_details,HB.sold_to,HB.sold_price,HB.sold_time,HB.sold_notes\n"
    "a1,House / Cellar,heating; gas,000-001,false,Boiler,1,Wall boiler,true,Ask Jo,1899.50,"
    "Nordvarme,2021-10-03,Vaillant,ecoTEC,VX-77,false,2026-10-03,Parts only,,0,,\n"
    "a2,Garage,,000-000,false,Old drill,1,,false,,40,,,Bosch,,,false,,,Sam,15.00,2024-05-01,cash\n"
    "a3,Attic,,000-003,true,Cot,1,,false,,0,,0202-01-01,,,,false,,,,,,\n"
)
HOMEBOX_NEW = (
    "HB.purchase_date\tHB.import_ref\tHB.parent_import_ref\tHB.url\tHB.name\tHB.location\tHB.tags"
    "\tHB.quantity\tHB.purchase_price\tHB.archived\tHB.insured\tHB.lifetime_warranty"
    "\tHB.field.Colour\tHB.field.Fuse\n"
    "2022-02-01\tr1\t\thttps://hb.example/item/1\tWorkbench\tGarage\ttools; wood\t1\t210\tfalse"
    "\tfalse\ttrue\tgreen\t\n"
    "\tr2\tr1\t\tVice\tGarage\t\t2\t0\tfalse\tfalse\tfalse\t\t16 A\n"
)
LUBELOGGER_WORK = (
    "Date,Description,Cost,Notes,Odometer,Tags,extrafield_Oil\n"
    '3/14/2024,Oil change,"$1,084.20","Filter too,\nand washer",48120,oil yearly,5W-30\n'
    "11/2/2024,Brake pads,$212.00,,0,,\n"
)
LUBELOGGER_FUEL = (
    "Date;Odometer;FuelConsumed;Cost;FuelEconomy;IsFillToFull;MissedFuelUp;Notes;Tags\n"
    "03.01.2026;51200;41,73;71,35;6,1;True;False;;\n"
    "19.01.2026;51890;20,00;35,10;0;False;True;Half;long trip\n"
)
LUBELOGGER_ODOMETER = "Date,InitialOdometer,Odometer,Notes,Tags\n2024-01-05,100,220,,\n"
LUBELOGGER_TAX = "Date,Description,Cost,Notes,Tags\n2024-02-01,Road tax,£180.00,,yearly\n"
LUBELOGGER_SUPPLIES = (
    "Date,PartNumber,PartSupplier,PartQuantity,Description,Notes,Cost,Tags\n"
    "2024-02-01,F-100,Autoteile,3,Oil filter,,£21.60,\n"
)
LUBELOGGER_PLAN = (
    "DateCreated,DateModified,Description,Notes,Type,Priority,Progress,Cost\n"
    "2024-01-01 10:00,2024-02-01 11:30,Wipers,,UpgradeRecord,Normal,Done,£30.00\n"
    "2024-01-01 10:00,2024-01-01 10:00,Timing belt,Soon,RepairRecord,Critical,Backlog,£600.00\n"
)
LUBELOGGER_EQUIPMENT = "Description,Notes,Tags,IsEquipped\nRoof box,Grey,holiday,False\n"
LUBELOGGER_FILES = (
    "DataType,Date,Name,Location\nServiceRecord,2024-01-01,bill.pdf,/documents/x.pdf\n"
)
SNIPE_ASSETS = (
    "\ufeffCompany,Name,Asset Tag,Category,Supplier,Manufacturer,Location,Order Number,Model,"
    "Model Number,Asset Notes,Purchase Date,Purchase Cost,Serial number,Status,Warranty,Rack\r"
    "Hart,Desk laptop,T-1001,Laptops,Shopco,Lenova,Office,PO-9,Think 14,T14g3,Bag too,"
    "5/23/22,1249.90,S-5531,Ready to Deploy,36,B4\r"
    "Hart,Bad one,T-1002,Laptops,,,,,Think 14,,,13/23/22,99.00,6.37702E+15,,,\r"
)
SNIPE_MAINTENANCE = (
    "Asset Tag,Asset Name,Supplier,Asset Maintenance Type,Title,Start Date,Completion Date,"
    "Asset Maintenance Time (in days),Cost\n"
    "T-1001,Desk laptop,Fix &amp; Co,Repair,New fan,2024-03-01,2024-03-04,3,85.00\n"
)
WARRACKER = (
    "ProductName,PurchaseDate,IsLifetime,WarrantyDurationYears,WarrantyDurationMonths,"
    "WarrantyDurationDays,ExpirationDate,Status,PurchasePrice,SerialNumber,ProductURL,Tags,Vendor\n"
    "Kettle,2023-04-01,FALSE,2,6,0,,Active,59.90,K1 K2,https://k.example,kitchen gift,Shopco\n"
    "Pan,2023-04-01,TRUE,0,0,0,,Active,,,,,\n"
)
SHELF = (
    "title,description,kit,category,tags,location,valuation,custodian,bookable,assetModel,"
    '"cf:purchase date, type:date","cf:bright, type:boolean",cf:colour\n'
    'Camera,Full frame,Film kit,Cameras,"video, studio",Studio,2400,Ana,yes,A7,2023-02-01,yes,'
    "black\n"
)
MYGARAGE = (
    "units_version,unit_system,Date,Category,Description,Odometer (km),Engine Hours,Cost,Vendor,"
    "Notes\n5,metric,2024-03-01,Maintenance,Oil change,48120,310.5,89.90,Garage Hart,\n"
)
MYGARAGE_INSURANCE = (
    "units_version,unit_system,Provider,Policy Number,Type,Start Date,End Date,Premium,Deductible,"
    "Coverage Limits,Notes\n5,metric,Sure & Co,P-77,Full,2024-01-01,2024-12-31,410.00,300,1m,\n"
)
GROCY = json.dumps(
    {
        "equipment": [
            {
                "id": 4,
                "name": "Coffee machine",
                "description": "<p>Descale <b>monthly</b></p>",
                "instruction_manual_file_name": "coffee.pdf",
                "row_created_timestamp": "2024-01-01 10:00:00",
                "userfields": {"colour": "red"},
            }
        ],
    }
)
GROCY_CHORES = json.dumps(
    [
        {"id": 1, "name": "Clean filter", "period_type": "monthly", "period_interval": 2,
         "start_date": "2024-01-31 00:00:00", "active": 1},
        {"id": 2, "name": "Bins", "period_type": "manually", "start_date": "2999-12-31 23:59:59"},
        {"id": 3, "name": "Look", "period_type": "hourly", "period_interval": 6},
        {"id": 4, "name": "Kerb", "period_type": "weekly", "period_interval": 2,
         "period_config": "friday,monday", "start_date": "2024-02-02 00:00:00"},
    ]
)  # fmt: skip
GROCY_LOG = json.dumps(
    [
        {"id": 8, "chore_id": 1, "tracked_time": "2024-02-28 09:00:00", "undone": 0, "skipped": 0},
        {"id": 9, "chore_id": 1, "tracked_time": "2024-04-28 09:00:00", "undone": 1},
    ]
)
GROCY_BATTERIES = json.dumps(
    [{"id": 2, "name": "Torch cell", "used_in": "Torch", "charge_interval_days": 180}]
)
FUELLY = (
    "car_name,model,mpg,odometer,miles,gallons,price,city_percentage,fuelup_date,date_added,tags,"
    "notes,missed_fuelup,partial_fuelup,latitude,longitude,brand\n"
    "Blue,Golf,31.2,20300,300,10.00,3.500,50,04/25/2024 8:05,04/25/2024 9:00,,,0,1,,,Shello\n"
)
FUELIO = (
    '"## Vehicle"\n"Name","Description","DistUnit","FuelUnit","ImportCSVDateFormat","VIN","Plate",'
    '"Make","Model"\n"Uno","Small","0","0","dd.MM.yyyy","","HH 12","Fiat","Uno"\n"## Log"\n'
    '"Data","Odo (km)","Fuel (litres)","Full","Price (optional)","City (optional)",'
    '"Notes (optional)","Missed"\n"03.02.2024 14:42","10600.0","36.5","1","63.87","Eni","","0"\n'
    '"## CostCategories"\n"CostTypeID","Name"\n"1","Service"\n"## Costs"\n'
    '"CostTitle","Date","Odo","CostTypeID","Notes","Cost"\n'
    '"Tyres","04.02.2024","10610","1","","320.00"\n'
)
ACAR = (
    "Metadata\nExport Version,Date Format\n3,MM/dd/yyyy\n\nVehicles\nName,Type,Year,Make,Model,"
    "License Plate,VIN,Distance Unit\nAlti,CAR,2012,Nissan,Altima,F9,,MILE\n\nFill-Up Records\n"
    "Vehicle,Date,Time,Odometer Reading,Distance Unit,Volume,Volume Unit,Total Cost,"
    'Partial Fill-Up?\nAlti,03/04/2024,08:11,"106,421",mi,10.100,gal,$39.78,No\n\n'
    "Event Records\nVehicle,Date,Odometer Reading,Distance Unit,Type,Sub Types,Total Cost\n"
    'Alti,05/14/2024,"106,900",mi,Service,"Engine Oil, Oil Filter",$22.00\n'
)
TABLE = (
    "Gegenstand;Hersteller;Seriennummer;Raum;Kaufdatum;Kaufpreis;Farbe\n"
    "Waschmaschine;Miele;W-12;Keller;24.12.2023;1.049,00 €;weiß\n"
    "Kühlschrank;Liebherr;;Küche;02.01.2022;899,50 €;\n"
)


def sheet(*rows: list[object]) -> bytes:
    """Return rows as a spreadsheet."""
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(row)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def archive(**parts: bytes) -> bytes:
    """Return an archive that claims to be a spreadsheet, with these sheets in it."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as made:
        made.writestr("[Content_Types].xml", "<Types/>")
        made.writestr("xl/workbook.xml", "<workbook/>")
        for name, content in parts.items():
            made.writestr(f"xl/worksheets/{name}.xml", content)
    return out.getvalue()


def many(count: int) -> str:
    """Return a Homebox file of so many things, each with a guarantee."""
    head, *_rows = HOMEBOX_OLD.splitlines()
    rows = [
        f"m{n},House / Room {n % 7},home; box {n % 5},000-{n:03d},false,Thing {n},1,,false,Note,"
        f"{n}.50,Shop,2022-01-05,Maker,,SN-{n},false,2027-01-05,,,0,,"
        for n in range(1, count + 1)
    ]
    return "\n".join([head, *rows]) + "\n"
